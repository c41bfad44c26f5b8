// Rates of the allocator on a fresh and on a fragmented device, and its memory, each beside a reference measured in
// the same run: setting and deleting a row in a Map, which is what the rows of this benchmark cost.
// Times are CPU times of the process, so that neighbours on the machine count little.
// Usage: node --expose-gc bench/vea_bench.mjs [--memory] [--against DIR]   (DIR: dist/src of another build, measured in turns)
import { resolve } from 'node:path';

const TOTAL = 1 << 28;
const COUNT = 100_000;
const ROUNDS = 5;

class RowStore {
  extents = new Map();
  chunks = new Map();
  words = new Map();
  hints = new Map();
  changes = 0;
  loadDescriptor() { return this.descriptor; }
  putDescriptor(descriptor) { this.descriptor = descriptor; }
  load() { return [...this.extents].map(([offset, blocks]) => ({ offset, blocks })); }
  put(offset, blocks) { this.extents.set(offset, blocks); this.changes++; }
  remove(offset) { this.extents.delete(offset); this.changes++; }
  loadChunks() { return this.chunks.values(); }
  putChunk(chunk) { this.chunks.set(chunk.offset, chunk); this.changes++; }
  removeChunk(offset) { this.chunks.delete(offset); this.changes++; }
  loadWords() { return this.words.values(); }
  // a chunk has at most 64 groups
  putWords(offset, group, words) { this.words.set(offset * 64 + group, words.slice()); this.changes++; }
  removeWords(offset, group) { this.words.delete(offset * 64 + group); this.changes++; }
  loadHint(id) { return this.hints.get(id); }
  putHint(id, offset, sequence) { this.hints.set(id, { offset, sequence }); this.changes++; }
  removeHint(id) { this.hints.delete(id); this.changes++; }
}

/** The steps of one run: name, operations, row changes and microseconds of each. `blocks`: of a reservation. */
async function measure({ Vea, VeaHint }, blocks) {
  const store = new RowStore();
  Vea.format(store, TOTAL);
  const vea = new Vea(store, TOTAL, { quarantineMs: 0, flushIntervalMs: 0 });
  const hint = new VeaHint();
  const results = [];
  const step = async (name, operations, run) => {
    store.changes = 0;
    const started = cpuUs();
    await run();
    results.push({ name, us: (cpuUs() - started) / operations, changes: store.changes / operations });
  };
  const held = [];
  await step('reserve + publish, one by one', COUNT, () => {
    for (let i = 0; i < COUNT; i++) { const one = vea.reserve(blocks, hint); vea.publish(one); held.push(one); }
  });
  await step('reserve + publish, batches of 32', COUNT, () => {
    for (let i = 0; i < COUNT / 32; i++) {
      const batch = Array.from({ length: 32 }, () => vea.reserve(blocks, hint));
      vea.publish(batch);
      held.push(...batch);
    }
  });
  await step('free every other one', COUNT, () => {
    for (let i = 0; i < 2 * COUNT; i += 2) vea.free(held[i].offset, blocks);
  });
  await vea.flush();
  await step('reserve + publish into 100,000 gaps', COUNT / 2, () => {
    for (let i = 0; i < COUNT / 2; i++) vea.publish(vea.reserve(blocks, new VeaHint()));
  });
  await step('reserve + cancel, fragmented', COUNT, () => {
    for (let i = 0; i < COUNT; i++) vea.cancel(vea.reserve(blocks, hint));
  });
  await step('free the rest and flush', COUNT, async () => {
    for (let i = 1; i < 2 * COUNT; i += 2) vea.free(held[i].offset, blocks);
    await vea.flush();
  });
  return results;
}

function cpuUs() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function reference() {
  const rows = new Map();
  const started = cpuUs();
  for (let i = 0; i < 4 * COUNT; i++) { rows.set(i * 3, i); if (i > 1000) rows.delete((i - 1000) * 3); }
  return (cpuUs() - started) / (4 * COUNT);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function compare(blocks, builds) {
  const runs = builds.map(() => []);
  const references = [];
  await measure(builds[0].module, blocks); // warms up
  for (let round = 0; round < ROUNDS; round++) {
    references.push(reference());
    for (const [i, { module }] of builds.entries()) runs[i].push(await measure(module, blocks));
  }
  const base = median(references);
  console.log(`\n${blocks} block(s) each; reference (set and delete a row): ${base.toFixed(3)} us`);
  for (const [at, { name }] of runs[0][0].entries()) {
    const cells = builds.map(({ label }, i) => {
      const us = median(runs[i].map((run) => run[at].us));
      return `${label} ${us.toFixed(2)} us = ${(us / base).toFixed(1)} x, ${runs[i][0][at].changes.toFixed(2)} rows`;
    });
    console.log(`${name.padEnd(38)} ${cells.join(' | ')}`);
  }
}

const usage = () => { for (let i = 0; i < 3; i++) globalThis.gc?.(); const { heapUsed, arrayBuffers } = process.memoryUsage(); return heapUsed + arrayBuffers; };

/** Bytes for each of so many free extents between allocated ones, or of so many allocated units of bitmaps. */
async function memory({ Vea }, { what, bitmaps, total }, count) {
  // rows cost nothing here
  const store = { loadDescriptor: () => store.descriptor, putDescriptor: (descriptor) => { store.descriptor = descriptor; } };
  for (const name of ['put', 'remove', 'putChunk', 'removeChunk', 'putWords', 'removeWords']) store[name] = () => undefined;
  const rows = [];
  Object.assign(store, { load: () => rows, loadChunks: () => [], loadWords: () => [] });
  Vea.format(store, { capacityBytes: (total + 1) * 4096, bitmaps });
  rows.push({ offset: 0, blocks: total });
  const vea = new Vea(store, total, { flushIntervalMs: Infinity });
  const before = usage();
  if (bitmaps) for (let i = 0; i < count; i++) vea.publish(vea.reserve(1));
  else {
    vea.publish(vea.reserve(total));
    // flushed now and then, so that few rest at a time
    for (let i = 0; i < 2 * count; i += 2) {
      vea.free(i, 1);
      if (i % 2000 === 0) await vea.flush();
    }
    await vea.flush();
  }
  const bytes = usage() - before;
  const { fragmentsBitmap, fragmentsSmall } = vea.statistics();
  console.log(`${(bytes / count).toFixed(1).padStart(8)} bytes per ${what} (${count} of them; ${fragmentsSmall} small extents, ${fragmentsBitmap} chunks)`);
}

const builds = [{ label: 'now', module: await import('@daos/vea') }];
const against = process.argv.indexOf('--against');
if (against > 0) builds.push({ label: 'other', module: await import(resolve(process.argv[against + 1], 'index.js')) });
if (!process.argv.includes('--memory')) for (const blocks of [1, 100]) await compare(blocks, builds);
console.log();
const UNITS = 500_000;
for (const kind of [
  { what: 'unit of a small chunk', bitmaps: true, total: 6 * UNITS },
  { what: 'unit of a large chunk', bitmaps: true, total: TOTAL },
  { what: 'free extent', bitmaps: false, total: TOTAL },
]) await memory(builds[0].module, kind, UNITS);
