/** Numbers of log records and generations: 32 bits, running on from the largest to zero. */

export function sequenceAfter(sequence: number, steps: number): number {
  return (sequence + steps) >>> 0;
}

/** Steps from `a` forward to `b`; negative when `b` lies before `a`. Right for distances below 2^31. */
export function sequenceDistance(a: number, b: number): number {
  return (b - a) | 0;
}
