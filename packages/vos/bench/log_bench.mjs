// What flushes of a log cost on the disk of a folder: appends to a file that has its blocks, several at a time, made
// durable in each of the ways that Node has. Usage: UV_THREADPOOL_SIZE=8 node bench/log_bench.mjs [FOLDER]
import { closeSync, constants, fdatasync, fsyncSync, openSync, rmSync, write, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileWrite } from '@daos/native';

const FILE_BYTES = 64 << 20;
const ROUND_MS = 250;
const ROUNDS = 3;
const path = join(process.argv[2] ?? tmpdir(), `log_bench.${process.pid}`);
const WAYS = {
  'O_DSYNC': constants.O_RDWR | constants.O_DSYNC,
  'write, fdatasync': constants.O_RDWR,
  'O_DSYNC, addon': constants.O_RDWR | constants.O_DSYNC,
  'O_DIRECT, O_DSYNC': constants.O_RDWR | constants.O_DIRECT | constants.O_DSYNC,
};
const OVERLAPS = [1, 2, 4, 8];
// memory that starts on a page, which O_DIRECT needs
const memory = Buffer.from(new globalThis.WebAssembly.Memory({ initial: 64, maximum: 64 }).buffer).fill(7);

function append(fd, way, bytes, slot, at) {
  const buffer = memory.subarray(slot * 65536, slot * 65536 + bytes);
  if (way.endsWith('addon')) return fileWrite(fd, [{ offset: at, buffers: [buffer] }], false);
  return new Promise((resolve, reject) => {
    const done = (error) => (error ? reject(error) : resolve());
    write(fd, buffer, 0, bytes, at, way === 'write, fdatasync' ? (error) => (error ? reject(error) : fdatasync(fd, done)) : done);
  });
}

async function round(way, bytes, overlap) {
  const fd = openSync(path, WAYS[way]);
  const times = [];
  let at = 0;
  const before = process.cpuUsage();
  const started = performance.now();
  await Promise.all(Array.from({ length: overlap }, async (_, slot) => {
    while (performance.now() - started < ROUND_MS) {
      const begun = performance.now();
      at = (at + bytes) % (FILE_BYTES - bytes);
      await append(fd, way, bytes, slot, at - (at % bytes));
      times.push(performance.now() - begun);
    }
  }));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  closeSync(fd);
  times.sort((a, b) => a - b);
  return { rate: times.length / seconds, p50: times[times.length >> 1] * 1000, cpu: (user + system) / times.length };
}

const fd = openSync(path, 'w');
for (let at = 0; at < FILE_BYTES; at += 1 << 20) writeSync(fd, Buffer.alloc(1 << 20), 0, 1 << 20, at);
fsyncSync(fd);
closeSync(fd);
try {
  console.log('bytes  overlapping  way                     rate    ratio to O_DSYNC x 1   p50 us   cpu us each');
  for (const bytes of [512, 4096, 16384]) {
    const results = new Map();
    for (let i = 0; i < ROUNDS; i++) {
      for (const overlap of OVERLAPS) {
        for (const way of Object.keys(WAYS)) {
          const key = `${overlap} ${way}`;
          results.set(key, [...(results.get(key) ?? []), await round(way, bytes, overlap)]);
        }
      }
    }
    const median = (key, field) => results.get(key).map((result) => result[field]).sort((a, b) => a - b)[ROUNDS >> 1];
    for (const key of results.keys()) {
      const [overlap, ...way] = key.split(' ');
      const rate = median(key, 'rate');
      console.log(`${String(bytes).padStart(5)}  ${overlap.padStart(11)}  ${way.join(' ').padEnd(20)} ${rate.toFixed(0).padStart(7)}   ${(rate / median('1 O_DSYNC', 'rate')).toFixed(2).padStart(20)}   ${median(key, 'p50').toFixed(0).padStart(6)}   ${median(key, 'cpu').toFixed(0).padStart(11)}`);
    }
  }
} finally {
  rmSync(path, { force: true });
}
