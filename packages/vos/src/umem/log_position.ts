import { DaosError } from '@daos/common';

import { viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Meta, Space } from '../layout/spaces.js';
import type { LmdbStore } from './lmdb_store.js';
import { replayOps } from './log_buffer.js';
import { Wal } from './wal.js';

/** Where a recovery begins: the generation of the log, and the number of its first record. */
export interface LogPosition {
  readonly generation: number;
  readonly sequence: number;
}

/** Replays the log onto LMDB; the result is where the log goes on. */
export async function recover(store: LmdbStore, logs: readonly [string, string]): Promise<LogPosition> {
  const stored = store.getBinaryFast(positionKey());
  if (!stored) throw new DaosError('DF_INVAL', 'the index has no log position');
  const begin = positionDecode(stored);
  const payloads: Buffer[] = [];
  // a checkpoint that was under way had moved on to the next generation
  for (const generation of [begin.generation, (begin.generation + 1) >>> 0]) {
    const path = logs[(generation % 2) as 0 | 1];
    payloads.push(...(await Wal.replay(path, generation, (begin.sequence + payloads.length) >>> 0)));
  }
  // beyond all that is in the files: what a torn record left there must never match a new one
  const next = {
    generation: (begin.generation + 2) >>> 0,
    sequence: (begin.sequence + payloads.length) >>> 0,
  };
  const key = new IndexKey();
  store.transactionSync(() => {
    for (const payload of payloads) {
      replayOps(payload, (bytes, value) => {
        key.assign(bytes);
        if (value) store.putSync(key, value);
        else store.removeSync(key);
      });
    }
    store.putSync(positionKey(), positionEncode(next));
  });
  return next;
}

export function positionKey(): IndexKey {
  return new IndexKey().space(Space.META).u8(Meta.LOG);
}

export function positionEncode({ generation, sequence }: LogPosition): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = viewOf(bytes);
  view.setUint32(0, generation);
  view.setUint32(4, sequence);
  return bytes;
}

function positionDecode(bytes: Uint8Array): LogPosition {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return { generation: view.getUint32(0), sequence: view.getUint32(4) };
}
