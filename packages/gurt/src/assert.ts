/**
 * A broken invariant: a bug in this program, never an expected failure. Nothing catches it on purpose; the process
 * that hits one stops rather than go on with a state nobody understands.
 */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** States an invariant. Stays on in production. Throws `AssertionError` when it does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Closes a switch over a union: the compiler rejects it when a case is missing. */
export function assertNever(value: never, message = 'unexpected value'): never {
  throw new AssertionError(`${message}: ${String(value)}`);
}

/** Marks a place that cannot be reached. */
export function unreachable(message: string): never {
  throw new AssertionError(`unreachable: ${message}`);
}
