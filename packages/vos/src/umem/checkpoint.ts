import { DaosError } from '@daos/common';

import type { LmdbStore } from './lmdb_store.js';
import { positionEncode, positionKey, type LogPosition } from './log_position.js';
import type { Overlay, OverlayEntry } from './overlay.js';

const SLICE_BYTES_MAX = 1024 * 1024;

/** Writes what an overlay holds to LMDB, in several transactions, and last the place where a replay begins. */
export async function writeCheckpoint(store: LmdbStore, frozen: Overlay, position: LogPosition, sliceEntries: number): Promise<void> {
  while (!frozen.sortSome(sliceEntries)) await turn();
  const entries = frozen.sorted();
  while (await writeSlice(store, entries, sliceEntries));
  await commit(store, () => store.put(positionKey(), positionEncode(position)));
}

/** Writes the next entries, which are in order, to LMDB in a durable transaction; false: there were none. */
async function writeSlice(store: LmdbStore, entries: Iterator<OverlayEntry>, sliceEntries: number): Promise<boolean> {
  let next = entries.next();
  if (next.done === true) return false;
  await commit(store, () => {
    for (let count = 1, bytes = 0; next.done !== true; count++, next = entries.next()) {
      const { key, value } = next.value;
      const storeKey = { bytes: key, length: key.length };
      if (value) store.put(storeKey, value);
      else store.remove(storeKey);
      bytes += key.length + (value?.length ?? 0);
      if (count >= sliceEntries || bytes >= SLICE_BYTES_MAX) return;
    }
  });
  return true;
}

/** Runs puts and removals as one transaction; DER_NVME_IO when it does not become durable. */
async function commit(store: LmdbStore, action: () => void): Promise<void> {
  try {
    await store.batch(action);
  } catch (error) {
    throw new DaosError('NVME_IO', 'commit of the index failed', { cause: error });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
