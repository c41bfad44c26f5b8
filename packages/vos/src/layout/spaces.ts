/**
 * Key spaces of the index (the first byte of every key) and what follows it. `no` are numbers given to containers,
 * objects, dkeys and akeys when they are first written; they are never reused, so lower levels need no long prefix.
 *
 *   META        · which                                   → counters, log position
 *   CONTAINER   · uuid                                    → container no
 *   DYING       · container no                            → (empty) being removed in the background
 *   DEAD        · type, no                                → (empty) object, dkey or akey removed in the background
 *   DTX_ACTIVE  · container no, owner                     → transaction that is not decided yet
 *   DTX_COMMITTED · container no, sequence                → transactions committed in one batch
 *   FREE        · block                                   → blocks (free extents of the data file)
 *   VEA         · DESCRIPTOR                              → what the data file's space is
 *   VEA         · CHUNK, block                            → run of blocks that is handed out in units
 *   VEA         · WORDS, block of a chunk, group          → which of 256 units of the chunk are allocated
 *   VEA         · HINT, stream                            → where a stream of writes goes on
 *   OBJECT      · container no, oid hi, lo, shard, layout → object head
 *   DKEY        · object no, sort key                     → dkey head
 *   AKEY        · dkey no, sort key                       → akey head (with the newest value or the first extents)
 *   VALUE       · akey no, 255, epoch descending          → older single values, and large ones
 *   VALUE       · akey no, width class, lo, nr, epoch descending, minor descending → extents, partly or wholly covered
 *   LIVE        · akey no, lo                             → extent, or what shows of one that stands in VALUE
 *   TIME        · akey no, epoch descending, minor descending, lo, nr → (empty) the extents in VALUE by age
 *   LONG_KEY    · no                                      → sort key that does not fit into a listing anchor
 */
export const Space = {
  META: 0x01,
  CONTAINER: 0x20,
  DYING: 0x21,
  DEAD: 0x22,
  DTX_ACTIVE: 0x24,
  DTX_COMMITTED: 0x25,
  FREE: 0x30,
  VEA: 0x31,
  OBJECT: 0x40,
  DKEY: 0x50,
  AKEY: 0x51,
  VALUE: 0x52,
  LIVE: 0x53,
  TIME: 0x54,
  LONG_KEY: 0x58,
} as const;

/** Second byte of META keys. */
export const Meta = { LOG: 0, COUNTERS: 1 } as const;

/** Second byte of VEA keys. */
export const VeaRow = { DESCRIPTOR: 0, CHUNK: 1, WORDS: 2, HINT: 3 } as const;

/** Width class that marks single values in the VALUE space. */
export const SINGLE_CLASS = 0xff;
