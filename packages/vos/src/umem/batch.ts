import type { LogBuffer } from './log_buffer.js';

/** Modifications that become durable together. */
export class Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Callers who wait for it. */
  callers = 0;
  /** Data writes that it depends on. */
  readonly data: Promise<void>[] = [];

  constructor(readonly buffer: LogBuffer) {
    let settle: Pick<Batch, 'resolve' | 'reject'> = { resolve: () => undefined, reject: () => undefined };
    this.promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
    // whoever needs the outcome holds the promise
    this.promise.catch(() => undefined);
    this.resolve = settle.resolve;
    this.reject = settle.reject;
  }
}
