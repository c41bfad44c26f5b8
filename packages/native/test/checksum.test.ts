import { randomBytes } from 'node:crypto';

import { crc32c, crc32cChunks, crc32cImplementation } from '../src/index.js';

/** The definition, bit by bit. */
function model(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

describe('crc32c', () => {
  it('gives the published check value', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(0))).toBe(0);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(['sse4.2', 'armv8', 'table']).toContain(crc32cImplementation());
  });

  it('agrees with the definition at every length around its internal block sizes, at any alignment', () => {
    const data = randomBytes(40_000);
    for (const length of [1, 7, 8, 9, 255, 256, 767, 768, 769, 1536, 4096, 12_287, 12_288, 12_289, 32_768, 39_990]) {
      const at = length % 9;
      const part = data.subarray(at, at + length);
      expect(crc32c(part)).toBe(model(part));
    }
  });

  it('continues an earlier result', () => {
    const data = randomBytes(5000);
    expect(crc32c(data.subarray(1234), crc32c(data.subarray(0, 1234)))).toBe(crc32c(data));
  });

  it.each([
    [0, 4096, 4096],
    [1, 4096, 4096],
    [100, 32, 64],
    [32_768, 32_768, 32_768],
    [100_000, 1000, 32_768],
    [999, 1000, 32_768],
  ])('checks %i bytes in chunks of which the first has %i and the others %i', (length, first, chunk) => {
    const data = randomBytes(length);
    const out = new Uint32Array(200);
    const expected: number[] = [];
    for (let at = 0; at < length; at += at === 0 ? first : chunk) {
      expected.push(crc32c(data.subarray(at, Math.min(length, at === 0 ? first : at + chunk))));
    }
    expect(crc32cChunks(data, first, chunk, out)).toBe(expected.length);
    expect([...out.subarray(0, expected.length)]).toEqual(expected);
  });

  it('refuses chunks of nothing and a result that has no room', () => {
    expect(() => crc32cChunks(new Uint8Array(10), 5, 0, new Uint32Array(10))).toThrow(expect.objectContaining({ name: 'RangeError' }));
    expect(() => crc32cChunks(new Uint8Array(10), 0, 5, new Uint32Array(10))).toThrow(expect.objectContaining({ name: 'RangeError' }));
    expect(() => crc32cChunks(new Uint8Array(10), 5, 5, new Uint32Array(1))).toThrow(expect.objectContaining({ name: 'RangeError' }));
  });
});
