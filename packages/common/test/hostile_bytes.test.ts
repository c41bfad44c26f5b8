import { seededRandom } from '@daos/gurt';

import { aceParse, Acl, DaosError, PoolMap, poolMapBuild, POOL_PROPERTIES, CONTAINER_PROPERTIES } from '../src/index.js';

/** Anything but an answer or a `DaosError` is a defect of the decoder. */
function answersOrRefuses(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof DaosError) return false;
    throw error;
  }
}

describe('decoders of untrusted bytes', () => {
  const random = seededRandom(20);

  function damaged(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    for (let i = random.below(4); i >= 0; i--) copy[random.below(copy.length)] = random.below(256);
    return copy.subarray(0, random.below(4) === 0 ? random.below(copy.length + 1) : copy.length);
  }

  it('refuse damaged pool maps with a DaosError, or read a map that can be written again', () => {
    const bytes = poolMapBuild({ ranks: [0, 1, 2], targetsPerRank: 3 }).encode();
    let read = 0;
    for (let i = 0; i < 3000; i++) {
      const copy = damaged(bytes);
      if (answersOrRefuses(() => PoolMap.decode(PoolMap.decode(copy, 1).encode(), 1))) read++;
    }
    // Damage of ids and flags cannot be seen.
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(3000);
  });

  it('refuse damaged access control lists with a DaosError', () => {
    const bytes = Acl.parse(['A::OWNER@:rw', 'A::user1@:r', 'A:G:grp@:w']).encode();
    for (let i = 0; i < 3000; i++) {
      const copy = damaged(bytes);
      answersOrRefuses(() => Acl.decode(copy).format());
    }
  });

  it('refuse random texts with a DaosError', () => {
    const letters = 'AULGSFP:@rwcdtTaAo OWNER@\0%0123456789KiB;,';
    for (let i = 0; i < 3000; i++) {
      const text = Array.from({ length: random.below(20) }, () => letters[random.below(letters.length)] ?? '').join('');
      answersOrRefuses(() => aceParse(text));
      for (const table of [POOL_PROPERTIES, CONTAINER_PROPERTIES]) {
        for (const property of table.properties) answersOrRefuses(() => property.parse(text));
      }
    }
  });
});
