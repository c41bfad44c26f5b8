import { DaosError } from '@daos/common';

import { BULK_PIECE_BYTES, BULK_PIECES_IN_FLIGHT } from './limits.js';
import type { FrameHeader } from './frame.js';
import type { RpcRequest } from './types.js';
import type { ServerConnection } from './server_connection.js';

const NOTHING = Buffer.alloc(0);

/** A request while its handler runs. */
export class InboundRequest implements RpcRequest<unknown> {
  readonly rpcId: number;
  readonly hlc: bigint;
  readonly srcRank: number | undefined;
  readonly tag: number;
  readonly dataLength: number;
  /** Bytes that came with the frame; they count against the context's memory until the request is answered. */
  readonly inlineBytes: number;
  private readonly bulkLength: number;
  private readonly timeoutMs: number;
  private pull: BulkPull | undefined;

  constructor(
    header: FrameHeader,
    readonly input: unknown,
    private readonly inline: Uint8Array | undefined,
    private readonly connection: ServerConnection,
  ) {
    this.rpcId = header.rpcId;
    this.hlc = header.hlc;
    this.srcRank = header.srcRank === 0xffff_ffff ? undefined : header.srcRank;
    this.tag = header.dstTag;
    this.bulkLength = header.bulk;
    this.inlineBytes = header.length;
    this.dataLength = header.bulk > 0 ? header.bulk : header.dataLength;
    this.timeoutMs = header.value;
  }

  get peer(): string {
    return this.connection.peer;
  }

  /** Throws DER_TIMEDOUT, DER_HG or DER_CANCELED when the bytes cannot be had from the client. */
  data(): Uint8Array | Promise<Uint8Array> {
    if (this.bulkLength === 0) return this.inline ?? NOTHING;
    this.pull ??= new BulkPull(this.rpcId, this.bulkLength, this.timeoutMs, this.connection);
    return this.pull.done;
  }

  /** The handler is through: what was pulled may be overwritten. */
  finish(): void {
    this.pull?.finish();
  }
}

/** Pulls a request's data in pieces: waits for memory, asks for a few pieces at a time, ends with all or an error. */
export class BulkPull {
  readonly done: Promise<Uint8Array>;
  private resolve: (data: Uint8Array) => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;
  private buffer: Buffer | undefined;
  private asked = 0;
  private received = 0;
  private piecesOut = 0;
  private failure: DaosError | undefined;
  private handlerDone = false;
  private giveUpWaiting: (() => void) | undefined;
  private readonly stopTimer: () => void;

  constructor(
    readonly rpcId: number,
    private readonly length: number,
    timeoutMs: number,
    private readonly connection: ServerConnection,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // A handler that does not look at the bytes does not have to look at their failure.
    this.done.catch(() => undefined);
    this.stopTimer = connection.side.timer.after(timeoutMs, () => {
      this.fail(new DaosError('TIMEDOUT', `${this.received} of ${length} bytes of data came within ${timeoutMs} ms`));
    });
    if (connection.isClosed) {
      this.fail(new DaosError('HG', 'connection lost'));
      return;
    }
    if (connection.pulls.has(rpcId)) {
      this.fail(new DaosError('PROTO', `RPC id ${rpcId} is used by two requests at a time`));
      return;
    }
    connection.pulls.set(rpcId, this);
    this.giveUpWaiting = connection.side.budget.take(length, () => this.begin());
    if (!this.giveUpWaiting) this.begin();
  }

  /** Where the bytes [offset, offset + length) belong. Throws DER_PROTO when they were not asked for. */
  place(offset: number, length: number): Uint8Array {
    const buffer = this.buffer;
    if (!buffer || offset % BULK_PIECE_BYTES !== 0 || offset >= this.asked || length !== this.pieceLength(offset)) {
      throw new DaosError('PROTO', 'data that was not asked for');
    }
    return buffer.subarray(offset, offset + length);
  }

  /** The answer to one piece came; `status` is 0 when its bytes are in place. */
  pieceDone(status: number, length: number): void {
    this.piecesOut--;
    this.received += length;
    if (status !== 0) this.fail(DaosError.fromStatus(status, 'the sender gave the request up'));
    else if (this.received === this.length && this.buffer) this.complete(this.buffer);
    else this.askMore();
    this.releaseWhenIdle();
  }

  /** The connection is gone. */
  disconnected(): void {
    this.piecesOut = 0;
    this.fail(new DaosError('HG', 'connection lost while data was being pulled'));
    this.releaseWhenIdle();
  }

  finish(): void {
    this.handlerDone = true;
    this.fail(new DaosError('CANCELED', 'the request is answered'));
    this.releaseWhenIdle();
  }

  private begin(): void {
    this.giveUpWaiting = undefined;
    this.buffer = this.connection.side.pool.take(this.length);
    this.askMore();
  }

  private askMore(): void {
    while (!this.failure && this.piecesOut < BULK_PIECES_IN_FLIGHT && this.asked < this.length) {
      const length = this.pieceLength(this.asked);
      this.connection.askPiece(this.rpcId, this.asked, length);
      this.asked += length;
      this.piecesOut++;
    }
  }

  private pieceLength(offset: number): number {
    return Math.min(BULK_PIECE_BYTES, this.length - offset);
  }

  private complete(buffer: Buffer): void {
    this.stopTimer();
    this.resolve(buffer.subarray(0, this.length));
  }

  private fail(error: DaosError): void {
    if (this.failure || this.received === this.length) return;
    this.failure = error;
    this.stopTimer();
    this.reject(error);
  }

  /** Memory goes back when neither the handler nor a piece that is still to come can touch it. */
  private releaseWhenIdle(): void {
    if (!this.handlerDone || this.piecesOut > 0) return;
    const { side, pulls } = this.connection;
    if (pulls.get(this.rpcId) === this) pulls.delete(this.rpcId);
    if (this.giveUpWaiting) {
      this.giveUpWaiting();
      this.giveUpWaiting = undefined;
    } else if (this.buffer) {
      side.pool.give(this.buffer);
      this.buffer = undefined;
      side.budget.release(this.length);
    }
  }
}
