// How long the longest recovery takes: a log of the largest size, after a process was killed. Prints log bytes and
// records, time, memory, and the rate beside plain LMDB puts. Usage: node bench/recovery_bench.mjs [FOLDER]
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { IndexKey } from '../dist/src/layout/index_key.js';
import { LmdbUmem } from '../dist/src/umem/lmdb_umem.js';
import { UMEM_TUNING } from '../dist/src/umem/umem_options.js';

const VALUE = Buffer.alloc(100, 1);
const USABLE_BYTES = 2 ** 30;
const dir = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'recovery_bench-'));
const pathsIn = (folder) => ({ index: join(folder, 'index'), logs: [join(folder, 'log.0'), join(folder, 'log.1')] });
const key = new IndexKey();

async function fill(bytesMax, perBatch) {
  const paths = pathsIn(dir);
  await LmdbUmem.create(paths, USABLE_BYTES);
  const index = await LmdbUmem.open(paths, USABLE_BYTES, { durability: 'none', checkpoint: { mode: 'disabled', frequencySeconds: 5, thresholdPercent: 50 } });
  const perPut = 6 + 13 + VALUE.length;
  const recordBytes = Math.ceil((32 + perBatch * perPut) / 512) * 512;
  let puts = 0;
  for (let bytes = 0; bytes + recordBytes <= bytesMax; bytes += recordBytes) {
    for (let i = 0; i < perBatch; i++) index.put(key.space(0x52).u32(Math.imul(puts++, 0x9e3779b1) >>> 0).u64(1n), VALUE);
    await index.durable();
  }
  // as a kill would leave it
  mkdirSync(join(dir, 'killed'));
  for (const name of ['index', 'log.0', 'log.1']) copyFileSync(join(dir, name), join(dir, 'killed', name));
  await index.close();
  return puts;
}

function plainPuts(count) {
  const db = open(join(dir, 'plain.mdb'), { keyEncoding: 'binary', encoding: 'binary', mapSize: USABLE_BYTES, overlappingSync: false, noMemInit: true });
  const name = Buffer.alloc(13);
  const started = performance.now();
  db.transactionSync(() => {
    for (let i = 0; i < count; i++) {
      name.writeUInt32BE(Math.imul(i, 0x9e3779b1) >>> 0, 0);
      db.putSync(name, VALUE);
    }
  });
  const ms = performance.now() - started;
  return db.close().then(() => ms);
}

try {
  for (const perBatch of [1, 32]) {
    const puts = await fill(UMEM_TUNING.logBytesMax, perBatch);
    const before = process.memoryUsage.rss();
    let event;
    const index = await LmdbUmem.open(pathsIn(join(dir, 'killed')), USABLE_BYTES, { onEvent: (what) => (event = what) });
    const grown = process.memoryUsage.rss() - before;
    await index.close();
    const plain = await plainPuts(puts);
    console.log(`${perBatch} puts per batch: ${(event.logBytes / 2 ** 20).toFixed(1)} MiB of log, ${event.records} records, ${puts} puts: ${event.ms.toFixed(0)} ms` +
      ` (plain LMDB puts: ${plain.toFixed(0)} ms, ratio ${(event.ms / plain).toFixed(2)}); memory + ${(grown / 2 ** 20).toFixed(0)} MiB, of which LMDB's map`);
    for (const name of ['index', 'index-lock', 'log.0', 'log.1', 'killed', 'plain.mdb', 'plain.mdb-lock']) rmSync(join(dir, name), { recursive: true, force: true });
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
