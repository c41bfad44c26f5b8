// Rates of a data file beside the addon's raw calls on the same file, through every access that this system has.
// Usage: node bench/bio_bench.mjs [FOLDER] [--rounds N] [--json]
// Figures of one row are taken in turns, many short rounds; what is shown is the median of the rates and of the ratios
// of each round, so that what else the machine does meets all alike.
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BioFile, UringIo } from '@daos/bio';
import { Uring, alignedBuffer, fileRead, fileWrite } from '@daos/native';

const FILE_BYTES = 256 << 20;
const MIB = 1 << 20;
const SUPERBLOCK_BYTES = 4096;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '15' }, json: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const path = join(positionals[0] ?? tmpdir(), `bio_bench.${process.pid}`);
const large = alignedBuffer(MIB, 4096).fill(2);
const small = Array.from({ length: 32 }, () => alignedBuffer(4096, 4096).fill(1));
const into = alignedBuffer(MIB, 4096);

await (await BioFile.create(path, FILE_BYTES)).close();
const fd = openSync(path, 'r+');
const ways = ['native', ...(UringIo.available() ? ['uring'] : [])];
const files = await Promise.all(ways.map((access) => BioFile.open(path, { access })));
for (let at = 0; at < FILE_BYTES; at += MIB) await files[0].write(at, [large]);
await files[0].flush();

/** Place of transfer `i` of a round: rounds go on where the one before ended, so that no page is always hot. */
let cursor = 0;
const place = (bytes) => {
  cursor = (cursor + bytes) % (FILE_BYTES - 2 * MIB);
  return Math.floor(cursor / bytes) * bytes;
};
const times = async (count, run) => {
  for (let i = 0; i < count; i++) await run();
  return count;
};
const raw = (offset) => SUPERBLOCK_BYTES + offset;
const batch = (put) => {
  const at = place(32 * 4096);
  for (let k = 0; k < 32; k++) put(at + k * 4096, small[k]);
};
const scattered = (put) => {
  const at = place(64 * 4096);
  for (let k = 0; k < 32; k++) put(at + k * 8192, small[k]);
};
const flushed = (fill, count) => ({
  unit: '4 KiB writes/s',
  ours: (bio) => times(count, () => {
    fill((offset, data) => void bio.write(offset, [data]));
    return bio.flush();
  }).then((n) => n * 32),
  reference: () => times(count, () => {
    fill((offset, data) => writeSync(fd, data, 0, data.length, raw(offset)));
    fdatasyncSync(fd);
  }).then((n) => n * 32),
});
const ring = Uring.ofThread();

const rows = {
  '4 KiB writes, 32 neighbours per flush': flushed(batch, 20),
  '4 KiB writes, 32 scattered per flush': flushed(scattered, 20),
  '1 MiB writes, one at a time': {
    unit: 'MiB/s',
    ours: (bio) => times(32, () => bio.write(place(MIB), [large])),
    reference: () => times(32, () => fileWrite(fd, [{ offset: raw(place(MIB)), buffers: [large] }], false)),
  },
  '1 MiB writes, eight at a time': {
    unit: 'MiB/s',
    ours: (bio) => times(4, () => Promise.all(Array.from({ length: 8 }, () => bio.write(place(MIB), [large])))).then((n) => n * 8),
    reference: () => times(4, () => Promise.all(Array.from({ length: 8 }, () => fileWrite(fd, [{ offset: raw(place(MIB)), buffers: [large] }], false)))).then((n) => n * 8),
  },
  '1 MiB cached reads, leased': {
    unit: 'MiB/s',
    ours: (bio) => times(32, async () => (await bio.readLease(place(MIB), MIB)).release()),
    reference: () => times(32, () => fileRead(fd, raw(place(MIB)), into)),
  },
  '1 MiB cached reads, allocated': {
    unit: 'MiB/s',
    ours: (bio) => times(32, () => bio.read(place(MIB), MIB)),
    reference: () => times(32, () => fileRead(fd, raw(place(MIB)), into)),
  },
  '4 KiB cached reads, at once': {
    unit: '/s',
    ours: (bio) => times(1, () => {
      for (let i = 0; i < 2000; i++) bio.readNow(place(4096), 4096, into);
    }).then(() => 2000),
    reference: () => times(500, () => fileRead(fd, raw(place(4096)), into.subarray(0, 4096))),
  },
  ...(ring && {
    'addon: 4 KiB reads, ring beside threads': {
      unit: '/s',
      ours: () => times(500, () => ring.read(fd, raw(place(4096)), into.subarray(0, 4096))),
      reference: () => times(500, () => fileRead(fd, raw(place(4096)), into.subarray(0, 4096))),
      once: true,
    },
    'addon: 32 x 4 KiB reads at once': {
      unit: '/s',
      ours: () => times(20, () => Promise.all(small.map((page) => ring.read(fd, raw(place(4096)), page)))).then((n) => n * 32),
      reference: () => times(20, () => Promise.all(small.map((page) => fileRead(fd, raw(place(4096)), page)))).then((n) => n * 32),
      once: true,
    },
  }),
};

async function rate(run) {
  const started = performance.now();
  const count = await run();
  return count / ((performance.now() - started) / 1000);
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

if (!values.json) console.log(`${'median of ' + rounds + ' rounds'.padEnd(26)} ${'access'.padEnd(8)} ${'rate'.padStart(10)} ${'reference'.padStart(10)}  ratio`);
for (const [name, { unit, ours, reference, once }] of Object.entries(rows)) {
  const subjects = once ? ['uring'] : ways;
  const rates = subjects.map(() => []);
  const references = [];
  for (let round = 0; round <= rounds; round++) {
    const reached = await rate(reference);
    const own = [];
    // the order turns: the last one of a round would always find the device busiest
    for (let k = 0; k < subjects.length; k++) {
      const i = (round + k) % subjects.length;
      own[i] = await rate(() => ours(files[i]));
    }
    // the first round warms up
    if (round === 0) continue;
    references.push(reached);
    own.forEach((value, i) => rates[i].push(value));
  }
  subjects.forEach((access, i) => {
    const ratio = median(rates[i].map((value, round) => value / references[round]));
    const record = { name, access, unit, rate: Math.round(median(rates[i])), reference: Math.round(median(references)), ratio: Number(ratio.toFixed(2)) };
    if (values.json) console.log(JSON.stringify(record));
    else console.log(`${name.padEnd(40)} ${access.padEnd(8)} ${String(record.rate).padStart(10)} ${String(record.reference).padStart(10)}  ${ratio.toFixed(2)}  ${unit}`);
  });
}
for (const file of files) await file.close();
closeSync(fd);
rmSync(path);
