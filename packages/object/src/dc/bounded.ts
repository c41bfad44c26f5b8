/** Requests of one operation that are under way at once. */
const IN_FLIGHT_MAX = 16;

/** Runs `work` for 0 .. count - 1, a bounded number at a time. Waits for all that was started; throws the first error. */
export async function forEachBounded(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  const lanes = Array.from({ length: Math.min(IN_FLIGHT_MAX, count) }, lane);
  const settled = await Promise.allSettled(lanes);
  for (const outcome of settled) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
