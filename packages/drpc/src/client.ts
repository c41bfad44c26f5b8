import { DaosError } from '@daos/common';
import { SeqPacketSocket } from '@daos/native';

import { FrameAssembler, frameSplit } from './frame.js';
import { DrpcStatus, callEncode, responseDecode, type DrpcResponse } from './message.js';
import { socketError } from './socket_error.js';

export const CALL_TIMEOUT_MS = 60_000;
/** Pause before another try when the listener's queue is full. */
const RETRY_MS = 10;

export interface DrpcCallOptions {
  /** Deadline of the whole call. Default 60 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly sequence: bigint;
  resolve(response: DrpcResponse): void;
  reject(error: Error): void;
}

/** A connection on which calls are made one after the other. */
export class DrpcClient {
  private readonly frames = new FrameAssembler();
  private pending: Pending | undefined;
  private sequence = 0n;

  private constructor(
    private readonly socket: SeqPacketSocket,
    readonly path: string,
  ) {
    socket.start({
      packet: (data) => this.packet(data),
      closed: (error) => this.fail(this.lost(error)),
    });
  }

  /**
   * Connects. Throws DER_UNREACH (no socket, or nobody listens), DER_NO_PERM, DER_INVAL (path too long),
   * DER_TIMEDOUT (the listener takes no connections), DER_CANCELED.
   */
  static async connect(path: string, options: DrpcCallOptions = {}): Promise<DrpcClient> {
    const limit = Date.now() + (options.timeoutMs ?? CALL_TIMEOUT_MS);
    for (;;) {
      if (options.signal?.aborted) throw new DaosError('CANCELED', `the connection to ${path} was cancelled`);
      const socket = tryConnect(path);
      if (socket) return new DrpcClient(socket, path);
      if (Date.now() >= limit) throw new DaosError('TIMEDOUT', `${path} accepts no connection`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /**
   * Calls a method and returns its answer's body. One call at a time: DER_BUSY while another runs. Throws DER_NOSYS
   * (unknown module or method), DER_PROTO (body not understood, or no dRPC answer), DER_IO (the method failed, or
   * the connection broke), DER_TIMEDOUT, DER_CANCELED. After any of the last four the connection is closed.
   */
  async call(module: number, method: number, body: Uint8Array, options: DrpcCallOptions = {}): Promise<Uint8Array> {
    if (this.pending) throw new DaosError('BUSY', `a call is already running on this connection to ${this.path}`);
    if (!this.socket.isOpen) throw new DaosError('NO_HDL', `the connection to ${this.path} is closed`);
    const sequence = this.sequence++;
    const packets = frameSplit(callEncode({ module, method, sequence, body }));
    const answered = new Promise<DrpcResponse>((resolve, reject) => (this.pending = { sequence, resolve, reject }));
    const { timeoutMs = CALL_TIMEOUT_MS, signal } = options;
    const what = `dRPC module ${module} method ${method} at ${this.path}`;
    const timer = setTimeout(() => this.fail(new DaosError('TIMEDOUT', `no answer within ${timeoutMs} ms: ${what}`)), timeoutMs);
    const abort = (): void => this.fail(new DaosError('CANCELED', `cancelled: ${what}`));
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    this.socket.send(packets).catch((error: unknown) => this.fail(this.lost(error as Error)));
    try {
      const response = await answered;
      checkStatus(response.status, what);
      return response.body;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  close(): void {
    this.fail(new DaosError('CANCELED', `the connection to ${this.path} was closed`));
  }

  private packet(data: Uint8Array): void {
    try {
      const message = this.frames.push(data);
      if (!message) return;
      const response = responseDecode(message);
      const { pending } = this;
      if (!pending) throw new DaosError('PROTO', `${this.path} answered what was not asked`);
      if (response.sequence !== pending.sequence && response.sequence !== -1n) {
        throw new DaosError('PROTO', `${this.path} answered call ${response.sequence} instead of ${pending.sequence}`);
      }
      this.pending = undefined;
      pending.resolve(response);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private lost(error: Error | undefined): DaosError {
    const why = error ? `: ${error.message}` : '';
    return new DaosError('IO', `${this.path} closed the connection before it answered${why}`, { cause: error });
  }

  private fail(error: Error): void {
    this.socket.close();
    const { pending } = this;
    this.pending = undefined;
    pending?.reject(error);
  }
}

/** One call on a connection of its own; see `DrpcClient` for what it throws. */
export async function drpcCall(
  path: string,
  module: number,
  method: number,
  body: Uint8Array,
  options: DrpcCallOptions = {},
): Promise<Uint8Array> {
  const client = await DrpcClient.connect(path, options);
  try {
    return await client.call(module, method, body, options);
  } finally {
    client.close();
  }
}

function tryConnect(path: string): SeqPacketSocket | undefined {
  try {
    return SeqPacketSocket.connect(path);
  } catch (error) {
    throw socketError(error, path, 'connect');
  }
}

function checkStatus(status: DrpcStatus, what: string): void {
  switch (status) {
    case DrpcStatus.SUCCESS:
    case DrpcStatus.SUBMITTED:
      return;
    case DrpcStatus.UNKNOWN_MODULE:
      throw new DaosError('NOSYS', `unknown module: ${what}`);
    case DrpcStatus.UNKNOWN_METHOD:
      throw new DaosError('NOSYS', `unknown method: ${what}`);
    case DrpcStatus.FAILED_UNMARSHAL_CALL:
    case DrpcStatus.FAILED_UNMARSHAL_PAYLOAD:
      throw new DaosError('PROTO', `the request was not understood: ${what}`);
    default:
      throw new DaosError('IO', `failed (${DrpcStatus[status] ?? status}): ${what}`);
  }
}
