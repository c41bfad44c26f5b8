// Hash primitives, and where distribution keys go.
import {
  Crc64,
  Hash64,
  dkeyHash,
  dkeyToEcStart,
  dkeyToGroup,
  hashMix64,
  hashedKey,
  jumpHash,
  murmur64BigInt,
  stringHash32,
} from '../../packages/common/dist/src/index.js';
import { ANY, byKind, hex, input } from './lib.mjs';

const SEED_DKEY = 5731;
const SEED_VOS = 0xc0ffee;
const TYPE_INTEGER_DKEY = 4;
const TYPE_HASHED_DKEY = 0;

export const families = {
  hashing: byKind({
    murmur64: (row) => ({ want: row.hash, got: String(murmur64BigInt(input(row), row.seed)) }),
    strings: (row) => ({
      want: [row.murmur64Seed5731, row.murmur64SeedC0FFEE, row.string_u32],
      got: [String(murmur64BigInt(input(row), SEED_DKEY)), String(murmur64BigInt(input(row), SEED_VOS)), stringHash32(input(row))],
    }),
    string_u32: (row) => ({ want: row.hash, got: stringHash32(input(row)) }),
    jump: (row) => ({ want: row.bucket, got: jump(BigInt(row.key), row.buckets) }),
    crc64_u64: (row) => ({ want: row.crc, got: crcOfWords([row.data], row.seed) }),
    crc64_3xu64: (row) => ({ want: row.crc, got: crcOfWords(row.data, row.seed) }),
    crc64_bytes: (row) => ({ want: row.crc, got: String(new Crc64().begin(row.seed).bytes(input(row)).end().toBigInt()) }),
    vos_hkey: (row) => ({ want: row.hkeyHex, got: hex(hashedKey(input(row))) }),
    mix64: (row) => ({ want: row.hash, got: String(hashMix64(BigInt(row.key))) }),
  }),
  'dkey-groups': byKind({
    [ANY]: (row) => {
      const type = row.integerDkey ? TYPE_INTEGER_DKEY : TYPE_HASHED_DKEY;
      const dkey = Buffer.from(row.dkeyHex, 'hex');
      return {
        want: { dkeyHash: row.dkeyHash, groups: row.groups, ecStart: row.ecStart },
        got: {
          dkeyHash: String(dkeyHash(type, dkey)),
          groups: row.groups.map(([count]) => [count, dkeyToGroup(type, dkey, count)]),
          ecStart: row.ecStart.map(([size]) => [size, dkeyToEcStart(type, dkey, size)]),
        },
      };
    },
  }),
};

function jump(key, buckets) {
  const { hi, lo } = Hash64.fromBigInt(key);
  return jumpHash(hi, lo, buckets);
}

function crcOfWords(words, seed) {
  const crc = new Crc64().begin(seed);
  for (const word of words) {
    const { hi, lo } = Hash64.fromBigInt(BigInt(word));
    crc.word(hi, lo);
  }
  return String(crc.end().toBigInt());
}
