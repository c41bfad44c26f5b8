import { randomBytes } from 'node:crypto';

import { digestUpdate } from '../src/index.js';

const [CRC64, SHA1, SHA256, ADLER32] = [3, 4, 5, 7];

function words(type: number, count: number, data: Uint8Array, start: readonly number[] = []): number[] {
  const state = new Int32Array(count);
  state.set(start);
  digestUpdate(type, state, data);
  return [...state];
}

/** The definition, bit by bit. */
function crc64(data: Uint8Array): bigint {
  let crc = 0xffff_ffff_ffff_ffffn;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let i = 0; i < 8; i++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  }
  return crc ^ 0xffff_ffff_ffff_ffffn;
}

function crc64Of([lo = 0, hi = 0]: readonly number[]): bigint {
  return (BigInt(~hi >>> 0) << 32n) | BigInt(~lo >>> 0);
}

function adler32(data: Uint8Array, low = 0, high = 0): number {
  for (const byte of data) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high * 65536 + low;
}

describe('digests', () => {
  it('give the published check value of CRC-64/XZ', () => {
    expect(crc64Of(words(CRC64, 2, Buffer.from('123456789'), [-1, -1]))).toBe(0x995dc9bbdf1939fan);
  });

  it.each([0, 1, 15, 16, 17, 31, 33, 1000, 5551, 5552, 5553, 20_000])('agree with the definition over %d bytes, in one call and in two', (length) => {
    const data = randomBytes(length + 3).subarray(3);
    const cut = length >> 2;
    expect(crc64Of(words(CRC64, 2, data, [-1, -1]))).toBe(crc64(data));
    expect(crc64Of(words(CRC64, 2, data.subarray(cut), words(CRC64, 2, data.subarray(0, cut), [-1, -1])))).toBe(crc64(data));
    for (const bytes of [data, new Uint8Array(length).fill(255)]) {
      expect((words(ADLER32, 1, bytes)[0] ?? 0) >>> 0).toBe(adler32(bytes));
      expect((words(ADLER32, 1, bytes.subarray(cut), words(ADLER32, 1, bytes.subarray(0, cut)))[0] ?? 0) >>> 0).toBe(adler32(bytes));
      expect((words(ADLER32, 1, bytes, [(65_520 << 16) | 65_520])[0] ?? 0) >>> 0).toBe(adler32(bytes, 65_520, 65_520));
    }
  });

  it('go through sixteen lanes that know nothing of each other', () => {
    const blocks = randomBytes(2048);
    for (const [type, count] of [[SHA1, 80], [SHA256, 128]] as const) {
      const all = words(type, count, blocks);
      expect(words(type, count, blocks.subarray(1024), words(type, count, blocks.subarray(0, 1024)))).toEqual(all);
      const other = Buffer.from(blocks);
      other[4 * 5 + 1] = (other[4 * 5 + 1] ?? 0) ^ 1;
      const changed = words(type, count, other).flatMap((word, i) => (word === all[i] ? [] : [i % 16]));
      expect([...new Set(changed)]).toEqual([5]);
    }
  });

  it('refuse what would read or write beyond their ends', () => {
    const refused = expect.objectContaining({ name: 'RangeError' });
    for (const type of [0, 1, 2, 6, 8, -1]) expect(() => words(type, 2, randomBytes(16))).toThrow(refused);
    for (const [type, count] of [[CRC64, 1], [CRC64, 3], [SHA1, 79], [SHA256, 80], [ADLER32, 0]] as const) {
      expect(() => words(type, count, new Uint8Array(1024))).toThrow(refused);
    }
    expect(() => words(SHA1, 80, new Uint8Array(1025))).toThrow(refused);
    expect(words(SHA1, 80, new Uint8Array(0))).toEqual(new Array(80).fill(0));
  });
});
