/** Adler-32 (RFC 1950) whose two sums both start at 0, as DAOS computes it. */
const MODULUS = 65521;
/** Most bytes, in whole steps of eight, before the higher sum could pass 31 bits (beyond, engines compute in doubles). */
const RUN = 3848;

/** Goes on from the packed sums `sums` (0 at the start) over `data[from, to)`; returns the packed sums. */
export function adler32Update(sums: number, data: Uint8Array, from: number, to: number): number {
  let low = sums & 0xffff;
  let high = sums >>> 16;
  for (let i = from; i < to;) {
    const end = Math.min(i + RUN, to);
    for (const steps = end - 7; i < steps; i += 8) {
      const a = data[i] as number;
      const b = data[i + 1] as number;
      const c = data[i + 2] as number;
      const d = data[i + 3] as number;
      const e = data[i + 4] as number;
      const f = data[i + 5] as number;
      const g = data[i + 6] as number;
      const h = data[i + 7] as number;
      high += 8 * low + 8 * a + 7 * b + 6 * c + 5 * d + 4 * e + 3 * f + 2 * g + h;
      low += a + b + c + d + e + f + g + h;
    }
    for (; i < end; i++) {
      low += data[i] as number;
      high += low;
    }
    low %= MODULUS;
    high %= MODULUS;
  }
  return ((high << 16) | low) >>> 0;
}
