import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { open } from 'lmdb';

export const LMDB_UPDATE_REFERENCE = 'LMDB get+put, durable batches';
/** Batches that nothing flushes. */
export const LMDB_RELAXED_REFERENCE = 'LMDB get+put, batches without sync';
export const LMDB_FETCH_REFERENCE = 'LMDB gets';

const SECONDS_MAX = 4;
const BINARY_KEY_BYTES = 16;

export interface LmdbFigures {
  readonly updatesPerSecond: number;
  readonly fetchesPerSecond: number;
}

/**
 * What plain LMDB does with as many keys and values of the same size: one get and one put per value, `batch`
 * of them in each durable transaction (with `none`: in one that is not flushed); then random gets.
 */
export async function measureLmdb(dir: string, keys: number, valueBytes: number, batch: number, durability: 'full' | 'none' = 'full'): Promise<LmdbFigures> {
  await mkdir(dir, { recursive: true });
  const database = open(join(dir, 'reference.mdb'), {
    keyEncoding: 'binary',
    encoding: 'binary',
    mapSize: 2 ** 30 + keys * (valueBytes + 256) * 4,
    overlappingSync: false,
    ...(durability === 'none' ? { noSync: true } : {}),
    noMemInit: true,
  });
  try {
    const value = Buffer.alloc(valueBytes, 1);
    const names = Array.from({ length: keys }, (_, i) => keyOf(i));
    database.transactionSync(() => {
      for (const name of names) database.putSync(name, value);
    });
    const updatesPerSecond = rate(batch, (i) => {
      database.transactionSync(() => {
        for (let j = 0; j < batch; j++) {
          const name = names[(i * batch + j) % keys] as Buffer;
          database.getBinaryFast(name);
          database.putSync(name, value);
        }
      });
    });
    const fetchesPerSecond = rate(256, (i) => {
      for (let j = 0; j < 256; j++) database.getBinaryFast(names[(i * 256 + j) % keys] as Buffer);
    });
    return { updatesPerSecond, fetchesPerSecond };
  } finally {
    await database.close();
  }
}

function rate(operationsPerCall: number, call: (i: number) => void): number {
  const started = performance.now();
  let calls = 0;
  do call(calls++);
  while (performance.now() - started < SECONDS_MAX * 250);
  return (calls * operationsPerCall) / ((performance.now() - started) / 1000);
}

/** Fixed-size keys in scattered order, as hashed keys are. */
function keyOf(i: number): Buffer {
  const key = Buffer.alloc(BINARY_KEY_BYTES);
  key.writeUInt32BE(Math.imul(i, 0x9e3779b1) >>> 0, 0);
  key.writeUInt32BE(i, 4);
  return key;
}
