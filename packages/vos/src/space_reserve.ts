const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** What the removal of keys in the background is given: so many pages of entries. */
const GC_BAGS = 40;
const GC_BAGS_SMALL = 4;
const GC_BAG_BYTES = 4096;
/** Windows of data that aggregation may be rewriting at a time. */
const AGGREGATION_BYTES = 5 * 8 * MIB;
/** Against fragmentation. */
const FRAGMENT_SHARE = 0.05;
const FRAGMENT_BYTES_MIN = 600 * MIB;
const FRAGMENT_BYTES_MAX = 6 * GIB;

/** Where DAOS sets nothing aside, because a pool is small, punches and destroys still have to find room. */
const OWN_SHARE = 0.05;
const OWN_BYTES_MIN = 256 * 1024;
const OWN_BYTES_MAX = 256 * MIB;

/**
 * Bytes of the index that only the system may use, by DAOS's rules: removal and aggregation, or against fragmentation 5 %,
 * at least 600 MiB where that is less than half, at most 6 GiB, whichever is more; nothing of an index that has not twice
 * as much. At least what punches need here.
 */
export function scmReserve(totalBytes: number, isSmall: boolean): number {
  const system = (isSmall ? GC_BAGS_SMALL : GC_BAGS) * GC_BAG_BYTES + AGGREGATION_BYTES;
  const reserve = Math.max(system, isSmall ? 0 : fragmentReserve(totalBytes, system));
  const own = Math.min(OWN_BYTES_MAX, Math.max(OWN_BYTES_MIN, totalBytes * OWN_SHARE), totalBytes / 2);
  return Math.floor(totalBytes <= 2 * reserve ? own : Math.max(reserve, own));
}

function fragmentReserve(totalBytes: number, system: number): number {
  let reserve = totalBytes * FRAGMENT_SHARE;
  if (totalBytes < 2 * (reserve + system)) return 0;
  if (reserve < FRAGMENT_BYTES_MIN && totalBytes >= 2 * (FRAGMENT_BYTES_MIN + system)) reserve = FRAGMENT_BYTES_MIN;
  return Math.min(reserve, FRAGMENT_BYTES_MAX);
}
