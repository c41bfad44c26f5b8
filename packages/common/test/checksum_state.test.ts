import { seededRandom } from '@daos/gurt';

import {
  ChecksumType, checksumAlgorithm, checksumTypeIsEnabled, checksumTypeIsValid, checksumTypeOfProperty, checksumTypeToProperty,
  setCrc32Implementation, type ChecksumAlgorithm,
} from '../src/index.js';
import { fixture, hex, pattern } from './fixture.js';

const ALL = Array.from({ length: 7 }, (_, i) => checksumAlgorithm(i + 1) as ChecksumAlgorithm);
const LENGTHS = { crc16: 2, crc32: 4, crc64: 8, sha1: 20, sha256: 32, sha512: 64, adler32: 4 };

function oneShot(algorithm: ChecksumAlgorithm, data: Uint8Array): string {
  const out = Buffer.alloc(algorithm.length);
  algorithm.digest(data, out, 0);
  return out.toString('hex');
}

describe('checksum types', () => {
  it('have the numbers of property cksum and the lengths of their digests', () => {
    expect(Object.fromEntries(ALL.map(({ name, length }) => [name, length]))).toEqual(LENGTHS);
    expect(ALL.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(checksumAlgorithm(ChecksumType.OFF)).toBeUndefined();
    expect(checksumAlgorithm(8)).toBeUndefined();
  });

  it('map to property values and back', () => {
    for (let type = 0; type <= 7; type++) {
      expect(checksumTypeOfProperty(BigInt(type))).toBe(type);
      expect(checksumTypeToProperty(type)).toBe(BigInt(type));
    }
    for (const value of [8n, -1n, 1n << 40n]) expect(() => checksumTypeOfProperty(value)).toThrow('DER_INVAL');
    for (const type of [8, -1, 1.5]) expect(() => checksumTypeToProperty(type)).toThrow('DER_INVAL');
  });

  it('are valid from off to adler32, and enabled except for off', () => {
    expect([-1, 0, 1, 7, 8, 0.5].map(checksumTypeIsValid)).toEqual([false, true, true, true, false, false]);
    expect([-1, 0, 1, 7, 8].map(checksumTypeIsEnabled)).toEqual([false, false, true, true, false]);
  });
});

describe.each(ALL)('a running $name', (algorithm) => {
  it('gives the recorded digests when fed in two halves', () => {
    const cases = fixture<{ fn: string; algorithm: string; len: number; bytesHex?: string; digestHex: string }>('checksums')
      .filter((row) => row.fn === 'digest' && row.algorithm === algorithm.name);
    expect(cases.length).toBeGreaterThan(5);
    const state = algorithm.start();
    for (const c of cases) {
      const data = c.bytesHex === undefined ? pattern(c.len) : hex(c.bytesHex);
      const out = Buffer.alloc(algorithm.length);
      state.update(data, 0, c.len >> 1);
      state.update(data.subarray(c.len >> 1));
      state.finish(out, 0);
      state.begin();
      expect([c.len, out.toString('hex')]).toEqual([c.len, c.digestHex]);
    }
  });

  it('gives the one-shot digest wherever its input is cut', () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    const state = algorithm.start();
    for (let round = 0; round < 30; round++) {
      const data = random.bytes(random.below(5000));
      const out = Buffer.alloc(algorithm.length);
      for (let from = 0; from < data.length;) {
        const to = Math.min(data.length, from + random.below(1500));
        state.update(data, from, to);
        from = to;
      }
      if (data.length === 0) state.update(data);
      state.finish(out, 0);
      state.begin();
      expect([seed, round, out.toString('hex')]).toEqual([seed, round, oneShot(algorithm, data)]);
    }
  });

  it('digests a part of a buffer as if it were all', () => {
    const data = pattern(4000);
    const out = Buffer.alloc(algorithm.length + 2, 0xee);
    algorithm.digest(data, out, 1, 1001, 3333);
    expect(out.toString('hex')).toBe(`ee${oneShot(algorithm, data.subarray(1001, 3333))}ee`);
  });

  it('does not mix with another one, nor with one-shot digests', () => {
    const [a, b] = [algorithm.start(), algorithm.start()];
    const data = pattern(3000);
    a.update(data, 0, 700);
    b.update(data, 5, 2999);
    const between = oneShot(algorithm, data);
    a.update(data, 700, 3000);
    const out = Buffer.alloc(algorithm.length);
    a.finish(out, 0);
    expect(out.toString('hex')).toBe(between);
    b.finish(out, 0);
    expect(out.toString('hex')).toBe(oneShot(algorithm, data.subarray(5, 2999)));
  });

  it('of nothing is 0 for sums, and leaves the buffer alone for hashes unless nothing was added', () => {
    const isHash = algorithm.name.startsWith('sha');
    const untouched = 'ab'.repeat(algorithm.length);
    const zero = '00'.repeat(algorithm.length);
    const state = algorithm.start();
    const out = Buffer.alloc(algorithm.length, 0xab);
    state.finish(out, 0);
    expect(out.toString('hex')).toBe(isHash ? untouched : zero);
    state.begin();
    state.update(new Uint8Array(0));
    state.finish(out, 0);
    expect(out.toString('hex')).toBe(oneShot(algorithm, new Uint8Array(0)));
    if (!isHash) expect(out.toString('hex')).toBe(zero);
  });
});

describe('checksums of long inputs', () => {
  it('stay right where sums could overflow: many bytes of 255', () => {
    const data = new Uint8Array(300_000).fill(255);
    let low = 0;
    let high = 0;
    for (const byte of data) {
      low = (low + byte) % 65521;
      high = (high + low) % 65521;
    }
    const out = Buffer.alloc(4);
    out.writeUInt32LE(high * 65536 + low);
    expect(oneShot(checksumAlgorithm(ChecksumType.ADLER32) as ChecksumAlgorithm, data)).toBe(out.toString('hex'));
  });
});

describe('another implementation of crc32', () => {
  it('is asked to go on from a register', () => {
    const asked: [number, number][] = [];
    const data = pattern(10);
    const algorithm = checksumAlgorithm(ChecksumType.CRC32) as ChecksumAlgorithm;
    const expected = oneShot(algorithm, data);
    const table = Int32Array.from({ length: 256 }, (_, byte) => {
      let crc = byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
      return crc;
    });
    setCrc32Implementation((bytes, register) => {
      asked.push([bytes.length, register]);
      return bytes.reduce((crc, byte) => (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number), register);
    });
    const state = algorithm.start();
    const out = Buffer.alloc(4);
    state.update(data, 0, 4);
    state.finish(out, 0);
    state.update(data, 4, 10);
    const half = out.readUInt32LE();
    state.finish(out, 0);
    expect(out.toString('hex')).toBe(expected);
    expect(asked).toEqual([[4, 0], [6, half]]);
  });
});
