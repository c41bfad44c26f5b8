/**
 * Key spaces of the index (the first byte of every key) and what follows it. `no` are numbers given to containers,
 * objects, dkeys and akeys when they are first written; they are never reused, so lower levels need no long prefix.
 *
 *   META        · which                                   → counters, log position
 *   CONTAINER   · uuid                                    → container no
 *   DYING       · container no                            → (empty) being removed in the background
 *   FREE        · block                                   → blocks (free extents of the data file)
 *   OBJECT      · container no, oid hi, lo, shard, layout → object head
 *   DKEY        · object no, sort key                     → dkey head
 *   AKEY        · dkey no, sort key                       → akey head (with the newest value or the first extents)
 *   VALUE       · akey no, 255, epoch descending          → older single values, and large ones
 *   VALUE       · akey no, width class, lo, nr, epoch descending, minor descending → extents
 *   LONG_KEY    · no                                      → sort key that does not fit into a listing anchor
 */
export const Space = {
  META: 0x01,
  CONTAINER: 0x20,
  DYING: 0x21,
  FREE: 0x30,
  OBJECT: 0x40,
  DKEY: 0x50,
  AKEY: 0x51,
  VALUE: 0x52,
  LONG_KEY: 0x58,
} as const;

/** Second byte of META keys. */
export const Meta = { LOG: 0, COUNTERS: 1 } as const;

/** Width class that marks single values in the VALUE space. */
export const SINGLE_CLASS = 0xff;
