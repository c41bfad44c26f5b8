// Rates of the index beside plain LMDB, in short rounds that take turns, so that both meet the same disk and the same
// neighbours; a figure is the median of the rounds. Usage: node bench/umem_bench.mjs [update|read] [FOLDER]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IodType, uuidGenerate } from '@daos/common';
import { vosPoolCreate } from '@daos/vos';
import { open } from 'lmdb';
import { IndexKey } from '../dist/src/layout/index_key.js';
import { poolOpen } from '../dist/src/pool_files.js';
import { LmdbUmem } from '../dist/src/umem/lmdb_umem.js';

const IN_FLIGHT = 32;
const KEYS = 65_536;
const ROUND_MS = 400;
const ROUNDS = 12;
const VALUE = Buffer.alloc(64, 1);
const [what = 'update', folder = tmpdir()] = process.argv.slice(2);
const dir = mkdtempSync(join(folder, 'umem_bench-'));
const scatter = (i) => Math.imul(i % KEYS, 0x9e3779b1) >>> 0;

function plainLmdb(name, options) {
  const db = open(join(dir, name), { keyEncoding: 'binary', encoding: 'binary', mapSize: 2 ** 30, overlappingSync: false, noMemInit: true, ...options });
  const names = Array.from({ length: KEYS }, (_, i) => {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(scatter(i), 0);
    return key;
  });
  db.transactionSync(() => names.forEach((key) => db.putSync(key, VALUE)));
  let at = 0;
  const round = async (ms) => {
    const started = performance.now();
    let done = 0;
    while (performance.now() - started < ms) {
      db.transactionSync(() => {
        for (let i = 0; i < IN_FLIGHT; i++) {
          const key = names[at++ % KEYS];
          db.getBinaryFast(key);
          db.putSync(key, VALUE);
        }
      });
      done += IN_FLIGHT;
    }
    return done / (performance.now() - started) * 1000;
  };
  return { round, close: () => db.close() };
}

/** `update(i)` with so many callers at a time. */
async function callers(ms, update) {
  const started = performance.now();
  let done = 0;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (performance.now() - started < ms) {
      await update();
      done++;
    }
  }));
  return done / (performance.now() - started) * 1000;
}

async function umem(name, durability) {
  const paths = { index: join(dir, `${name}.mdb`), logs: [join(dir, `${name}.0`), join(dir, `${name}.1`)] };
  await LmdbUmem.create(paths, 2 ** 30);
  const index = await LmdbUmem.open(paths, 2 ** 30, { durability });
  const key = new IndexKey();
  let at = 0;
  const round = (ms) => callers(ms, () => {
    key.space(0x52).u32(scatter(at++)).u64(7n);
    index.peek(key);
    index.put(key, VALUE);
    return index.durable();
  });
  return { round, close: () => index.close(), index };
}

async function vos(name, options) {
  const uuid = uuidGenerate();
  const where = { dir: join(dir, name), uuid };
  await vosPoolCreate({ ...where, scmBytes: 2 ** 31, nvmeBytes: 0 });
  const pool = await poolOpen(where, options);
  await pool.containerCreate(uuid);
  const container = pool.containerOpen(uuid);
  const oid = { oid: { hi: 1n << 32n, lo: 1n }, shard: 0, layoutVersion: 1 };
  const dkeys = Array.from({ length: 256 }, (_, i) => Buffer.from(`blade${i}`));
  const akeys = Array.from({ length: 16 }, (_, i) => Buffer.from(`akey-${i}`));
  let at = 0;
  let epoch = 1n;
  const round = (ms) => callers(ms, () => {
    const i = at++;
    return container.update({ oid, flavours: { dkey: 'hashed', akey: 'hashed' }, epoch: ++epoch, flags: 0,
      dkey: dkeys[(i >> 8) & 255], iods: [{ akey: akeys[(i >> 4) & 15], type: IodType.SINGLE, size: 64, recxs: [] }], values: [Buffer.from(VALUE)] });
  });
  return { round, close: async () => { container.close(); await pool.close(); } };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function compare(contestants) {
  const rates = new Map(contestants.map(([name]) => [name, []]));
  const cpu = new Map(contestants.map(([name]) => [name, []]));
  for (const [, { round }] of contestants) await round(ROUND_MS);
  for (let i = 0; i < ROUNDS; i++) {
    for (const [name, { round }] of contestants) {
      const before = process.cpuUsage();
      const rate = await round(ROUND_MS);
      const { user, system } = process.cpuUsage(before);
      rates.get(name).push(rate);
      cpu.get(name).push((user + system) / (rate * ROUND_MS / 1000));
    }
  }
  const reference = rates.get(contestants[0][0]);
  for (const [name] of contestants) {
    const ratio = median(rates.get(name).map((rate, i) => rate / reference[i]));
    console.log(`${name.padEnd(44)} ${median(rates.get(name)).toFixed(0).padStart(8)} /s  ratio ${ratio.toFixed(2)}  cpu ${median(cpu.get(name)).toFixed(1)} us each`);
  }
  for (const [, { close }] of contestants) await close();
}

/** The best of many rounds: what a call costs when nothing else wants the processor. */
function cost(name, count, call) {
  for (let i = 0; i < 20_000; i++) call(i);
  let best = Infinity;
  for (let round = 0; round < 40; round++) {
    const started = performance.now();
    for (let i = 0; i < count; i++) call(i + round * count);
    best = Math.min(best, performance.now() - started);
  }
  console.log(`${name.padEnd(44)} ${(best * 1000 / count).toFixed(2).padStart(8)} us`);
}

async function reads() {
  const { index, close } = await umem('read', 'none');
  const [from, to, key] = [new IndexKey(), new IndexKey(), new IndexKey()];
  const parent = (k, i) => k.space(0x52).u48(scatter(i) & 0xfff);
  const fill = async (first, count) => {
    for (let i = first; i < first + count; i++) index.put(key.space(0x52).u48(i >> 4).u64(BigInt(i & 15) * 10n), VALUE);
    await index.durable();
  };
  const costs = (where) => {
    cost(`peek, ${where}`, 5000, (i) => index.peek(parent(key, i).u64(BigInt(i & 15) * 10n)));
    cost(`get, ${where}`, 5000, (i) => index.get(parent(key, i).u64(BigInt(i & 15) * 10n)));
    cost(`get of nothing, ${where}`, 5000, (i) => index.peek(parent(key, i).u64(5n)));
    cost(`findLast, ${where}`, 5000, (i) => index.findLast(parent(from, i), parent(to, i).u64(BigInt(i & 15) * 10n + 5n)));
    cost(`reverse range of one, ${where}`, 3000, (i) => {
      for (const entry of index.range({ from: parent(from, i), to: parent(to, i).u64(BigInt(i & 15) * 10n + 5n), reverse: true, limit: 1 })) return entry;
    });
    cost(`range of 16, ${where}`, 500, (i) => {
      for (const entry of index.range({ from: parent(from, i), to: parent(to, i).toPrefixEnd() })) void entry;
    });
  };
  await fill(0, KEYS);
  costs('in memory');
  index.setCheckpointPolicy({ mode: 'timed', frequencySeconds: 1, thresholdPercent: 50 });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await index.settled();
  costs('in LMDB');
  await close();
}

try {
  if (what === 'read') await reads();
  else {
    console.log(`64 B, ${IN_FLIGHT} in flight, durable`);
    await compare([['LMDB get+put, durable batches', plainLmdb('sync.mdb', {})], ['index get+put', await umem('full', 'full')], ['vos update', await vos('vos')]]);
    console.log(`64 B, ${IN_FLIGHT} in flight, not durable`);
    await compare([['LMDB get+put, batches without flush', plainLmdb('nosync.mdb', { noSync: true })], ['index get+put', await umem('none', 'none')], ['vos update', await vos('vosNone', { durability: 'none' })]]);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
