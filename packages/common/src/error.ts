import { DER, DER_UNKNOWN, derDescription, derName, type DerName } from './der.js';

/**
 * An expected failure of a DAOS operation. `der` is the error's name, `code` its positive number. The message names
 * the subject that failed; a cause, when there is one, is the error underneath. Broken invariants are not
 * `DaosError`s: they are assertion failures (see `@daos/gurt`).
 */
export class DaosError extends Error {
  override readonly name = 'DaosError';
  readonly der: DerName | 'UNKNOWN';
  readonly code: number;

  constructor(der: DerName | 'UNKNOWN', message?: string, options?: { cause?: unknown }) {
    const text = message ?? (der === 'UNKNOWN' ? 'unknown error' : derDescription(der));
    super(`DER_${der}(${-DaosError.codeOf(der)}): ${text}`, options);
    this.der = der;
    this.code = DaosError.codeOf(der);
    this.detail = text;
  }

  /** The message without the leading error name. */
  readonly detail: string;

  /** Status as sent on the wire: the negative number. */
  get status(): number {
    return -this.code;
  }

  /** Rebuilds the error that a peer answered with. `status` may be given negative or positive. */
  static fromStatus(status: number, message?: string): DaosError {
    const code = Math.abs(status);
    const name = derName(code);
    if (name) return new DaosError(name, message);
    return new DaosError('UNKNOWN', message ?? `unknown error code ${code}`);
  }

  static codeOf(der: DerName | 'UNKNOWN'): number {
    return der === 'UNKNOWN' ? DER_UNKNOWN : DER[der];
  }
}

/** True when `error` is a `DaosError` with one of the given names (any name when none is given). */
export function isDaosError(error: unknown, ...names: DerName[]): error is DaosError {
  return error instanceof DaosError && (names.length === 0 || (names as string[]).includes(error.der));
}
