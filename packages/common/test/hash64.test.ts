import {
  Crc64,
  dkeyHash,
  dkeyToEcStart,
  dkeyToGroup,
  hashedKey,
  hashMix64,
  hashMix96,
  Hash64,
  jumpHash,
  murmur64BigInt,
  stringHash32,
} from '../src/index.js';
import { fixture, hex, pattern } from './fixture.js';

interface HashCase {
  fn: string;
  len?: number;
  bytesHex?: string;
  seed?: number;
  hash?: string | number;
  key?: string;
  buckets?: number;
  bucket?: number;
  data?: string | string[];
  crc?: string;
  hkeyHex?: string;
  murmur64Seed5731?: string;
  murmur64SeedC0FFEE?: string;
  string_u32?: number;
}

function input(c: HashCase): Uint8Array {
  return c.bytesHex === undefined ? pattern(c.len ?? 0) : hex(c.bytesHex);
}

const cases = (fn: string): HashCase[] => fixture<HashCase>('hashing').filter((c) => c.fn === fn);

describe('hashes', () => {
  it('murmur64 gives the recorded values for every length and seed', () => {
    for (const c of cases('murmur64')) expect(String(murmur64BigInt(input(c), c.seed ?? 0))).toBe(c.hash);
    for (const c of cases('strings')) {
      expect(String(murmur64BigInt(input(c), 5731))).toBe(c.murmur64Seed5731);
      expect(String(murmur64BigInt(input(c), 0xc0ffee))).toBe(c.murmur64SeedC0FFEE);
      expect(stringHash32(input(c))).toBe(c.string_u32);
    }
    for (const c of cases('string_u32')) expect(stringHash32(input(c))).toBe(c.hash);
  });

  it('jump hash gives the recorded buckets', () => {
    for (const c of cases('jump')) {
      const key = Hash64.fromBigInt(BigInt(c.key ?? 0));
      expect([c.key, c.buckets, jumpHash(key.hi, key.lo, c.buckets ?? 1)]).toEqual([c.key, c.buckets, c.bucket]);
    }
  });

  it('CRC-64 gives the recorded values over words and bytes', () => {
    for (const c of [...cases('crc64_u64'), ...cases('crc64_3xu64')]) {
      const crc = new Crc64().begin(c.seed ?? 0);
      for (const word of [c.data ?? []].flat()) {
        const halves = Hash64.fromBigInt(BigInt(word));
        crc.word(halves.hi, halves.lo);
      }
      expect(String(crc.end().toBigInt())).toBe(c.crc);
    }
    for (const c of cases('crc64_bytes')) {
      expect(String(new Crc64().begin(c.seed ?? 0).bytes(input(c)).end().toBigInt())).toBe(c.crc);
    }
  });

  it('mixes give the recorded values', () => {
    for (const c of cases('mix64')) expect(String(hashMix64(BigInt(c.key ?? 0)))).toBe(c.hash);
    // Jenkins' mix is a bijection in its last argument.
    expect(new Set(Array.from({ length: 5000 }, (_, i) => hashMix96(1, 2, i))).size).toBe(5000);
  });

  it('orders hashed keys by the recorded 16 bytes', () => {
    for (const c of cases('vos_hkey')) expect(hashedKey(input(c)).toString('hex')).toBe(c.hkeyHex);
  });
});

describe('dkeys', () => {
  it('go to the recorded groups', () => {
    interface DkeyCase {
      dkeyHex: string;
      integerDkey: boolean;
      dkeyHash: string;
      groups: [number, number][];
      ecStart: [number, number][];
    }
    for (const c of fixture<DkeyCase>('dkey-groups')) {
      const type = c.integerDkey ? 4 : 0;
      const dkey = hex(c.dkeyHex);
      expect(String(dkeyHash(type, dkey))).toBe(c.dkeyHash);
      for (const [count, group] of c.groups) expect(dkeyToGroup(type, dkey, count)).toBe(group);
      for (const [size, start] of c.ecStart) expect(dkeyToEcStart(type, dkey, size)).toBe(start);
    }
  });

  it('of integer types have 8 bytes, or DER_INVAL', () => {
    expect(() => dkeyToGroup(13, new Uint8Array(4), 2)).toThrow('DER_INVAL');
  });
});
