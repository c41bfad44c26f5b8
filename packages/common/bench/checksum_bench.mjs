/**
 * Measures every checksum over one chunk: this package's own code, the addon's where there is some, and a reference in the
 * same run: a plain loop over the bytes (one table look-up per byte for CRCs), or for SHA the plain hash of node:crypto.
 * Usage: node bench/checksum_bench.mjs [chunk bytes]
 */
import { createHash } from 'node:crypto';

import { crc32c as packageCrc32c } from '@node-rs/crc32';

import { crc32c, digestUpdate } from '../../native/dist/src/index.js';
import { checksumAlgorithmByName, setCrc32Implementation, setDigestKernel } from '../dist/src/index.js';

const chunkBytes = Number(process.argv[2] ?? 32768);
const data = Uint8Array.from({ length: chunkBytes }, (_, i) => (11 * i + 7 * (i >>> 8) + 5) & 0xff);
const out = new Uint8Array(64);

const ADDON = ['crc32', 'crc64', 'sha1', 'sha256', 'adler32'];

function useAddon(isUsed) {
  const crc = isUsed ? crc32c : packageCrc32c;
  setCrc32Implementation((bytes, register) => ~crc(bytes, ~register >>> 0));
  setDigestKernel(isUsed ? digestUpdate : undefined);
}

const crc16Table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x8bb7 : crc << 1;
  return crc;
});
const crc32Table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
const crc64Low = new Int32Array(256);
const crc64High = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  crc64High[byte] = Number(crc >> 32n);
  crc64Low[byte] = Number(crc & 0xffff_ffffn);
}

function plainCrc16() {
  let crc = 0;
  for (let i = 0, end = data.length; i < end; i++) crc = ((crc << 8) & 0xffff) ^ crc16Table[(crc >>> 8) ^ data[i]];
  return crc;
}

function plainCrc32() {
  let crc = 0;
  for (let i = 0, end = data.length; i < end; i++) crc = (crc >>> 8) ^ crc32Table[(crc ^ data[i]) & 0xff];
  return crc;
}

function plainCrc64() {
  let hi = -1;
  let lo = -1;
  for (let i = 0, end = data.length; i < end; i++) {
    const index = (lo ^ data[i]) & 0xff;
    lo = ((lo >>> 8) | (hi << 24)) ^ crc64Low[index];
    hi = (hi >>> 8) ^ crc64High[index];
  }
  return hi ^ lo;
}

function plainAdler32() {
  let low = 0;
  let high = 0;
  for (let i = 0; i < data.length;) {
    for (const end = Math.min(i + 5552, data.length); i < end; i++) high += low += data[i];
    low %= 65521;
    high %= 65521;
  }
  return high ^ low;
}

const plainHash = (name) => () => createHash(name).update(data).digest();

const REFERENCES = {
  crc16: plainCrc16, crc32: plainCrc32, crc64: plainCrc64, adler32: plainAdler32,
  sha1: plainHash('sha1'), sha256: plainHash('sha256'), sha512: plainHash('sha512'),
};

/** Best of several runs, in MB per second of processor time, which other programs do not take away. */
function speed(run) {
  let best = 0;
  for (let round = 0; round < 7; round++) {
    let calls = 0;
    const started = process.cpuUsage();
    let us = 0;
    while (us < 50_000) {
      for (let i = 0; i < 50; i++) run();
      calls += 50;
      us = process.cpuUsage(started).user;
    }
    best = Math.max(best, (calls * data.length) / us);
  }
  return best;
}

const column = (value, digits = 0) => value.toFixed(digits).padStart(10);

console.log(`chunks of ${chunkBytes} bytes; MB/s, then ratios`);
console.log(`algorithm ${['plain', 'own', 'addon', 'own/plain', 'addon/plain', 'addon/own'].map((title) => title.padStart(12)).join('')}`);
for (const [name, reference] of Object.entries(REFERENCES)) {
  const algorithm = checksumAlgorithmByName(name);
  const digest = () => algorithm.digest(data, out, 0);
  const plain = speed(reference);
  useAddon(false);
  const own = speed(digest);
  useAddon(true);
  const addon = ADDON.includes(name) ? speed(digest) : undefined;
  const figures = [column(plain), column(own), addon ? column(addon) : '', column(own / plain, 2), ...(addon ? [column(addon / plain, 2), column(addon / own, 2)] : [])];
  console.log(`${name.padEnd(10)}${figures.map((figure) => figure.padStart(12)).join('')}`);
}
