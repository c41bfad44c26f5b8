import { assert } from '@daos/gurt';

/** Levels of the tree of entities, the deepest last. */
export const TsLevel = { CONTAINER: 0, OBJECT: 1, DKEY: 2, AKEY: 3 } as const;
export type TsLevel = (typeof TsLevel)[keyof typeof TsLevel];

/** Entity numbers have 48 bits; the other 16 of a key tell pools apart. */
const NO_LIMIT = 2 ** 48;
export const POOL_TAG_MAX = 0xffff;

/** Upper word of the key of entity `no` (48 bits); the lower word is `no >>> 0`. */
export function keyUpperWord(no: number, poolTag: number): number {
  assert(no >= 0 && no < NO_LIMIT, 'an entity number has 48 bits');
  return ((poolTag << 16) | Math.floor(no / 0x1_0000_0000)) >>> 0;
}
