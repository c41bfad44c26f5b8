import { DaosError } from '@daos/common';

import { totalLength } from './frame_writer.js';
import { DATA_BYTES_MAX } from './limits.js';
import type { CallOptions, CallResult, RpcDef } from './types.js';

const NO_DATA: readonly Uint8Array[] = [];

/** One RPC on its way, as its sender sees it. */
export class Call {
  readonly data: readonly Uint8Array[];
  readonly dataLength: number;
  readonly sink: Uint8Array | undefined;
  settled = false;
  /** Place in the table of the connection; -1 while it waits. */
  slot = -1;
  /** Where the reply's data is landing now. */
  target: Uint8Array | undefined;
  private signal: AbortSignal | undefined;
  private onAbort: (() => void) | undefined;

  constructor(
    readonly rpc: RpcDef<unknown, unknown>,
    readonly input: unknown,
    readonly rank: number,
    readonly tag: number,
    readonly deadlineMs: number,
    readonly timeoutMs: number,
    options: CallOptions | undefined,
    private readonly resolve: (result: CallResult<unknown>) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.data = options?.data ?? NO_DATA;
    this.dataLength = totalLength(options?.data);
    this.sink = options?.sink;
    if (this.dataLength > DATA_BYTES_MAX) {
      throw new DaosError('OVERFLOW', `${rpc.name}: ${this.dataLength} bytes are above the limit of ${DATA_BYTES_MAX}`);
    }
  }

  /** Runs `abort` when the signal fires, until the call is settled. */
  listenTo(signal: AbortSignal, abort: () => void): void {
    this.signal = signal;
    this.onAbort = abort;
    signal.addEventListener('abort', abort, { once: true });
  }

  succeed(output: unknown, data: Uint8Array): void {
    if (this.settle()) this.resolve({ output, data });
  }

  fail(error: unknown): void {
    if (this.settle()) this.reject(error);
  }

  /** `POOL_QUERY to rank 1 tag 0`, for messages. */
  get subject(): string {
    return `${this.rpc.name} to rank ${this.rank} tag ${this.tag}`;
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    if (this.onAbort) this.signal?.removeEventListener('abort', this.onAbort);
    return true;
  }
}
