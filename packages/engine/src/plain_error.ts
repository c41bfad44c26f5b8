import { DaosError, type DerName } from '@daos/common';

/** An error in a form that passes between threads. */
export interface PlainError {
  readonly der: DerName | 'UNKNOWN' | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

export function plainError(error: unknown): PlainError {
  if (error instanceof DaosError) return { der: error.der, message: error.detail, stack: error.stack };
  if (error instanceof Error) return { der: undefined, message: `${error.name}: ${error.message}`, stack: error.stack };
  return { der: undefined, message: String(error), stack: undefined };
}

/** The same error again: a DaosError where it was one, else an Error with the text and stack of the first. */
export function rebuildError(plain: PlainError): Error {
  if (plain.der !== undefined) return new DaosError(plain.der, plain.message);
  const error = new Error(plain.message);
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}
