import type { Socket } from 'node:net';

import { DaosError } from '@daos/common';
import { getLogger, type RateLimit } from '@daos/gurt';

import { BodyReader } from './body_reader.js';
import type { BufferPool } from './buffer_pool.js';
import type { BulkBudget } from './bulk_budget.js';
import { Connection, type Flusher } from './connection.js';
import type { DeadlineTimer } from './deadline_timer.js';
import { FrameType, NO_RANK, type FrameHeader } from './frame.js';
import { totalLength } from './frame_writer.js';
import { commonVersion, ERROR_BODY, HELLO, HELLO_REPLY, helloSelf, versionText } from './hello.js';
import { InboundRequest, type BulkPull } from './inbound_request.js';
import { BULK_PIECE_BYTES, DATA_BYTES_MAX, ERROR_TEXT_MAX, HELLO_TIMEOUT_MS, SERVING_MAX } from './limits.js';
import type { RpcDef, RpcHandler, RpcReply } from './types.js';

const log = getLogger('rpc');

export interface Registration {
  readonly rpc: RpcDef<unknown, unknown>;
  readonly handler: RpcHandler<unknown, unknown>;
}

/** What a connection needs to know of its context. */
export interface ServerSide {
  readonly flusher: Flusher;
  readonly timer: DeadlineTimer;
  readonly budget: BulkBudget;
  readonly pool: BufferPool;
  /** Limits the log lines that one peer can cause. */
  readonly complaints: RateLimit;
  readonly handlers: ReadonlyMap<number, Registration>;
  /** This context's rank; NO_RANK while unknown. */
  readonly rank: number;
  readonly tag: number;
  /** `closed`: requests wait unread. `draining`: they are refused, those being served go on. */
  readonly admission: 'closed' | 'open' | 'draining';
  stamp(header: FrameHeader): void;
  /** Throws DER_HLC_SYNC. */
  merge(hlc: bigint): void;
  /** A request came in or was answered; true when the context holds too much to take more. */
  account(bytes: number): boolean;
  closed(connection: ServerConnection): void;
}

/** A socket on which one peer sends requests. */
export class ServerConnection extends Connection {
  /** Who is there, for log lines. */
  peer: string;
  readonly pulls = new Map<number, BulkPull>();
  private greeted = false;
  private serving = 0;
  private paused = false;
  /** Requests that came in one chunk with others whose replies the peer does not take. */
  private readonly backlog: [InboundRequest, Registration][] = [];
  private readonly reader = new BodyReader();
  private readonly stopHelloTimer: () => void;

  constructor(socket: Socket, readonly side: ServerSide) {
    super(socket, side.flusher);
    this.peerKey = socket.remoteAddress ?? 'same host';
    this.peer = socket.remoteAddress ? `${socket.remoteAddress}:${socket.remotePort}` : this.peerKey;
    this.stopHelloTimer = side.timer.after(HELLO_TIMEOUT_MS, () => {
      if (!this.greeted) this.onMalformed(new Error(`said nothing for ${HELLO_TIMEOUT_MS} ms`));
    });
    this.start();
    this.regulate();
  }

  /** What a peer cannot change by connecting again. */
  private readonly peerKey: string;

  get servingCount(): number {
    return this.serving;
  }

  /** Reads on or pauses, by how much work the peer and the context have. */
  regulate(): void {
    if (this.isClosed) return;
    while (this.backlog.length > 0 && !this.isCongested) this.runNext();
    const waiting = this.greeted && this.side.admission === 'closed';
    const stop = waiting || this.isCongested || this.serving >= SERVING_MAX || this.side.account(0);
    if (stop === this.paused) return;
    this.paused = stop;
    if (stop) this.socket.pause();
    else this.socket.resume();
  }

  askPiece(rpcId: number, offset: number, length: number): void {
    if (this.isClosed) return;
    const { header } = this.writer;
    this.writer.begin();
    this.side.stamp(header);
    header.type = FrameType.BULK_PULL;
    header.rpcId = rpcId;
    header.bulk = offset;
    header.value = length;
    this.writer.end(undefined, 0);
    this.touch();
  }

  landing = (header: FrameHeader): Uint8Array | undefined => {
    if (!this.greeted) throw new DaosError('PROTO', 'data before a greeting');
    if (header.type === FrameType.REQUEST) return Buffer.allocUnsafeSlow(header.dataLength);
    if (header.type !== FrameType.BULK_DATA || header.dataLength > BULK_PIECE_BYTES) {
      throw new DaosError('PROTO', 'data where none was expected');
    }
    return this.pullOf(header).place(header.bulk, header.dataLength);
  };

  onFrame = (header: FrameHeader, buf: Buffer, view: DataView, bodyStart: number, data: Uint8Array | undefined): void => {
    this.reader.reset(buf, view, bodyStart, bodyStart + header.bodyLength);
    if (header.type === FrameType.REQUEST && this.greeted) this.onRequest(header, data);
    else if (header.type === FrameType.BULK_DATA && this.greeted) this.onPiece(header, data);
    else if (header.type === FrameType.HELLO && !this.greeted) this.onHello();
    else throw new DaosError('PROTO', `unexpected frame of type ${header.type}`);
  };

  protected onMalformed(error: Error): void {
    const reason = error instanceof DaosError ? error.detail : error.message;
    this.side.complaints.run(this.peerKey, (suppressed) => {
      log.warn(`closing connection from ${this.peer}: ${reason}`, suppressed > 0 ? { suppressed } : undefined);
    });
    this.close(error);
  }

  protected onClosed(): void {
    this.stopHelloTimer();
    for (const [request] of this.backlog.splice(0)) this.abandon(request);
    for (const pull of [...this.pulls.values()]) pull.disconnected();
    this.side.closed(this);
  }

  protected onDrain(): void {
    this.regulate();
  }

  private onHello(): void {
    const hello = HELLO.read(this.reader);
    const version = commonVersion(hello);
    const self = helloSelf();
    const { header } = this.writer;
    const message = version === undefined
      ? `wire version ${versionText(hello)} of the client is not supported, this server speaks ${versionText(self)}` : '';
    HELLO_REPLY.write(this.writer.begin(), {
      version: version ?? 0, versionMin: self.versionMin, versionMax: self.versionMax, message,
    });
    this.side.stamp(header);
    header.type = FrameType.HELLO_REPLY;
    header.value = version === undefined ? new DaosError('PROTO').status : 0;
    this.writer.end(undefined, 0);
    this.stopHelloTimer();
    if (version === undefined) {
      this.side.complaints.run(this.peerKey, () => log.warn(`refusing ${this.peer}: ${message}`));
      this.closeAfterFlush();
      return;
    }
    this.greeted = true;
    this.regulate();
    this.peer = `${this.peer} (${hello.host} pid ${hello.pid})`;
    this.touch();
  }

  private onRequest(header: FrameHeader, data: Uint8Array | undefined): void {
    const registration = this.side.handlers.get(header.opcode);
    let request: InboundRequest;
    try {
      request = new InboundRequest(header, this.admit(header, registration), data, this);
    } catch (error) {
      this.sendError(header.rpcId, header.opcode, error);
      return;
    }
    this.serving++;
    if (this.side.account(request.inlineBytes) || this.serving >= SERVING_MAX) this.regulate();
    // `admit` has refused what is not registered.
    if (this.isCongested) this.backlog.push([request, registration as Registration]);
    else this.run(request, registration as Registration);
  }

  private runNext(): void {
    const next = this.backlog.shift();
    if (next) this.run(...next);
  }

  /** Checks that the request is for us and well formed, and returns its decoded body. */
  private admit(header: FrameHeader, registration: Registration | undefined): unknown {
    const { side } = this;
    if (side.admission === 'draining') throw new DaosError('UNREACH', `rank ${side.rank} is shutting down`);
    side.merge(header.hlc);
    const misrouted = header.dstRank !== NO_RANK && side.rank !== NO_RANK && header.dstRank !== side.rank;
    if (misrouted || header.dstTag !== side.tag) {
      throw new DaosError('BAD_TARGET',
        `request for rank ${header.dstRank} tag ${header.dstTag} came to rank ${side.rank} tag ${side.tag}`);
    }
    if (!registration) throw this.unregistered(header.opcode);
    if (header.bulk > DATA_BYTES_MAX) throw new DaosError('OVERFLOW', `${header.bulk} bytes of data are too many`);
    return registration.rpc.request.read(this.reader);
  }

  private unregistered(opcode: number): DaosError {
    const text = `0x${opcode.toString(16).padStart(8, '0')}`;
    this.side.complaints.run(`${this.peerKey} opcode`, (suppressed) => {
      log.warn(`${this.peer} sent unknown opcode ${text}`, suppressed > 0 ? { suppressed } : undefined);
    });
    return new DaosError('UNREG', `no RPC has opcode ${text}`);
  }

  private run(request: InboundRequest, { rpc, handler }: Registration): void {
    let result: RpcReply<unknown> | Promise<RpcReply<unknown>>;
    try {
      result = handler(request);
    } catch (error) {
      this.finish(request, rpc, undefined, error);
      return;
    }
    if ('then' in result) {
      result.then(
        (reply) => this.finish(request, rpc, reply, undefined),
        (error: unknown) => this.finish(request, rpc, undefined, error),
      );
    } else {
      this.finish(request, rpc, result, undefined);
    }
  }

  /** Gives back what a request holds. */
  private abandon(request: InboundRequest): void {
    request.finish();
    this.serving--;
    this.side.account(-request.inlineBytes);
  }

  private finish(request: InboundRequest, rpc: Registration['rpc'], reply: RpcReply<unknown> | undefined,
    error: unknown): void {
    this.abandon(request);
    if (!this.isClosed) {
      try {
        if (reply) this.sendReply(request.rpcId, rpc, reply);
        else this.sendError(request.rpcId, rpc.opcode, error, rpc.name);
      } catch (encodeError) {
        this.sendError(request.rpcId, rpc.opcode, encodeError, rpc.name);
      }
    }
    if (this.paused !== this.isCongested) this.regulate();
  }

  private sendReply(rpcId: number, rpc: Registration['rpc'], reply: RpcReply<unknown>): void {
    const dataLength = totalLength(reply.data);
    if (dataLength > DATA_BYTES_MAX) {
      throw new DaosError('OVERFLOW', `${rpc.name}: a reply of ${dataLength} bytes is above the limit`);
    }
    rpc.reply.write(this.writer.begin(), reply.output);
    this.stampReply(rpcId, rpc.opcode, 0);
    this.writer.end(reply.data, dataLength);
    this.touch();
  }

  private sendError(rpcId: number, opcode: number, error: unknown, name?: string): void {
    const known = error instanceof DaosError ? error : undefined;
    if (!known) {
      log.error(`${name ?? 'request'} from ${this.peer} failed: ${(error as Error)?.stack ?? String(error)}`);
    }
    const message = known?.detail ?? `internal error in ${name ?? 'the request'}, see the engine's log`;
    ERROR_BODY.write(this.writer.begin(), { message: message.slice(0, ERROR_TEXT_MAX) });
    this.stampReply(rpcId, opcode, known?.status ?? new DaosError('MISC').status);
    this.writer.end(undefined, 0);
    this.touch();
  }

  private stampReply(rpcId: number, opcode: number, status: number): void {
    const { header } = this.writer;
    this.side.stamp(header);
    header.type = FrameType.REPLY;
    header.rpcId = rpcId;
    header.opcode = opcode;
    header.value = status;
    header.bulk = 0;
  }

  private onPiece(header: FrameHeader, data: Uint8Array | undefined): void {
    const pull = this.pullOf(header);
    if (header.value === 0) {
      const place = pull.place(header.bulk, header.dataLength);
      if (data && data.buffer !== place.buffer) place.set(data);
    }
    pull.pieceDone(header.value, header.value === 0 ? header.dataLength : 0);
  }

  private pullOf(header: FrameHeader): BulkPull {
    const pull = this.pulls.get(header.rpcId);
    if (!pull) throw new DaosError('PROTO', 'data that was not asked for');
    return pull;
  }
}
