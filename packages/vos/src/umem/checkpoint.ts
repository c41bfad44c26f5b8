import { DaosError } from '@daos/common';

import type { LmdbStore } from './lmdb_store.js';
import { positionEncode, positionKey, type LogPosition } from './log_position.js';
import type { Overlay, OverlayEntry } from './overlay.js';

const SLICE_BYTES_MAX = 1024 * 1024;

/** Writes what an overlay holds to LMDB, in several transactions, and last the place where a replay begins. */
export async function writeCheckpoint(store: LmdbStore, frozen: Overlay, position: LogPosition, sliceEntries: number): Promise<void> {
  await writeSlices(store, frozen.sorted(), sliceEntries);
  await commit(store, () => store.put(positionKey(), positionEncode(position)));
}

/** Writes entries, which are in order, to LMDB: a durable transaction per slice. */
async function writeSlices(
  store: LmdbStore,
  entries: readonly OverlayEntry[],
  sliceEntries: number,
): Promise<void> {
  for (let at = 0; at < entries.length; ) {
    const end = at + sliceEntries;
    await commit(store, () => {
      for (let bytes = 0; at < entries.length && at < end && bytes < SLICE_BYTES_MAX; at++) {
        const { key, value } = entries[at] as OverlayEntry;
        const storeKey = { bytes: key, length: key.length };
        if (value) store.put(storeKey, value);
        else store.remove(storeKey);
        bytes += key.length + (value?.length ?? 0);
      }
    });
  }
}

/** Runs puts and removals as one transaction; DER_NVME_IO when it does not become durable. */
async function commit(store: LmdbStore, action: () => void): Promise<void> {
  try {
    await store.batch(action);
  } catch (error) {
    throw new DaosError('NVME_IO', 'commit of the index failed', { cause: error });
  }
}
