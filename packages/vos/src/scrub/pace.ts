/**
 * How long to wait so that equal periods fill a span of time.
 *
 * `durationMs` is the span, `periods` how many parts it has, `index` the part that was just done (from 0) and `elapsedMs`
 * the time since the span began. The answer, in whole ms, is what is left until the part's end; the end of the span for
 * an index behind the last part; 0 when that has passed or when nothing is known (no span, no periods).
 */
export function scrubWaitMs(durationMs: number, periods: number, index: number, elapsedMs: number): number {
  if (durationMs <= 0 || periods <= 0) return 0;
  const endMs = index >= periods ? durationMs : Math.floor((durationMs * (index + 1)) / periods);
  return Math.max(0, Math.floor(endMs - elapsedMs));
}
