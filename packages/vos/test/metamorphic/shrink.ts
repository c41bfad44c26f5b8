/** Runs that a shrinking may cost. */
const RUNS_MAX = 150;

/** Steps of a program, by number, and what went wrong with it. */
export interface Failure {
  readonly steps: readonly number[];
  readonly error: Error;
}

/** Runs a program of these steps; the error that it ends with, if any. */
export type RunSteps = (steps: readonly number[]) => Promise<Error | undefined>;

/**
 * Cuts a failing program down: drops steps, large pieces first, while it still fails with the same kind of error
 * (delta debugging). Steps keep their own random numbers, so that what is left does what it did.
 */
export async function shrink(failure: Failure, run: RunSteps): Promise<Failure> {
  const kind = kindOf(failure.error);
  let best = failure;
  let piece = best.steps.length >> 1;
  for (let runs = 0; piece >= 1 && runs < RUNS_MAX; ) {
    let isSmaller = false;
    for (let at = 0; at < best.steps.length && runs < RUNS_MAX; ) {
      const steps = [...best.steps.slice(0, at), ...best.steps.slice(at + piece)];
      const error = steps.length > 0 ? await run(steps) : undefined;
      runs++;
      if (error && kindOf(error) === kind) {
        best = { steps, error };
        isSmaller = true;
      } else at += piece;
    }
    if (!isSmaller || piece > best.steps.length) piece >>= 1;
  }
  return best;
}

/** The first words of an error: what it is about, without its numbers. */
export function kindOf({ message }: Error): string {
  return (message.split(/[:\n(]/)[0] ?? '').replace(/\d+/g, '#').trim();
}
