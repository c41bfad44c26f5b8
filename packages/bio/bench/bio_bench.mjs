// Rates of a data file beside plain Node calls on the same disk. Usage: node bench/bio_bench.mjs [FOLDER]
import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BioFile } from '@daos/bio';

const FILE_BYTES = 512 << 20;
const dir = process.argv[2] ?? tmpdir();
const path = join(dir, `bio_bench.${process.pid}`);
const small = Buffer.alloc(4096, 1);
const large = Buffer.alloc(1 << 20, 2);
const bio = await BioFile.create(path, FILE_BYTES);
const plain = await open(`${path}.plain`, 'w+');
const fd = openSync(path, 'r');

async function rate(count, run) {
  const started = performance.now();
  await run();
  return count / ((performance.now() - started) / 1000);
}

async function report(name, unit, ours, reference) {
  await ours();
  const [a, b] = [await ours(), await reference()];
  console.log(`${name.padEnd(34)} ${a.toFixed(0).padStart(9)} ${unit.padEnd(5)} reference ${b.toFixed(0).padStart(9)}  ratio ${(a / b).toFixed(2)}`);
}

const at = (i, bytes) => (i * bytes) % FILE_BYTES;
await report('4 KiB writes, 32 per flush', '/s', () => rate(400 * 32, async () => {
  for (let i = 0; i < 400; i++) {
    for (let k = 0; k < 32; k++) void bio.write(at(i * 32 + k, 4096), [small]);
    await bio.flush();
  }
}), () => rate(400 * 32, async () => {
  for (let i = 0; i < 400; i++) {
    await plain.writev(Array.from({ length: 32 }, () => small), at(i * 32, 4096));
    await plain.datasync();
  }
}));
await report('1 MiB writes, one at a time', 'MiB/s', () => rate(256, async () => {
  for (let i = 0; i < 256; i++) await bio.write(at(i, 1 << 20), [large]);
}), () => rate(256, async () => {
  for (let i = 0; i < 256; i++) await plain.write(large, 0, 1 << 20, at(i, 1 << 20));
}));
await bio.flush();
await report('4 KiB cached reads, without waiting', '/s', () => rate(100_000, () => {
  for (let i = 0; i < 100_000; i++) bio.readNow(at(i * 7, 4096), 4096, small);
}), () => rate(100_000, () => {
  for (let i = 0; i < 100_000; i++) readSync(fd, small, 0, 4096, 4096 + at(i * 7, 4096) % (FILE_BYTES / 2));
}));
await report('4 KiB cached reads, awaited', '/s', () => rate(20_000, async () => {
  for (let i = 0; i < 20_000; i++) await bio.read(at(i * 7, 4096), 4096, small);
}), () => rate(20_000, async () => {
  for (let i = 0; i < 20_000; i++) await plain.read(small, 0, 4096, at(i * 7, 4096) % (FILE_BYTES / 2));
}));
await report('1 MiB cached reads', 'MiB/s', () => rate(256, async () => {
  for (let i = 0; i < 256; i++) await bio.read(at(i, 1 << 20), 1 << 20, large);
}), () => rate(256, async () => {
  for (let i = 0; i < 256; i++) await plain.read(large, 0, 1 << 20, at(i, 1 << 20));
}));
closeSync(fd);
await bio.close();
await plain.close();
rmSync(path);
rmSync(`${path}.plain`);
