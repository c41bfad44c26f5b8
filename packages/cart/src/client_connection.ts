import type { Socket } from 'node:net';

import { DaosError } from '@daos/common';

import { BodyReader } from './body_reader.js';
import type { Call } from './call.js';
import { CallTable } from './call_table.js';
import { Connection, type Flusher } from './connection.js';
import { FrameType, HEADER_BYTES, type FrameHeader } from './frame.js';
import { sliceBlocks } from './frame_writer.js';
import { ERROR_BODY, HELLO, HELLO_REPLY, helloSelf, versionText } from './hello.js';
import { INLINE_BYTES_MAX } from './limits.js';

const NOTHING = Buffer.alloc(0);
/** Small results are copied out of the receive buffer when keeping them would keep four times their size alive. */
const KEEP_RATIO = 4;

/** What a connection needs to know of its context. */
export interface ClientSide {
  readonly flusher: Flusher;
  /** Fills in the fields of a header that say who sends. */
  stamp(header: FrameHeader): void;
  /** Merges the HLC of a reply. Throws DER_HLC_SYNC. */
  merge(hlc: bigint): void;
}

/** A connected socket towards one endpoint, with the calls that are on it. */
export class ClientConnection extends Connection {
  readonly calls = new CallTable();
  private greeted = false;
  private readonly reader = new BodyReader();

  /** `onReady` is called when the peer accepted; `onEnd` when the connection is lost, with what is unsettled. */
  constructor(
    socket: Socket,
    private readonly side: ClientSide,
    private readonly onReady: () => void,
    private readonly onEnd: (error: DaosError) => void,
    private readonly onRoom: () => void,
  ) {
    super(socket, side.flusher);
    this.start();
    const { header } = this.writer;
    HELLO.write(this.writer.begin(), helloSelf());
    side.stamp(header);
    header.type = FrameType.HELLO;
    this.writer.end(undefined, 0);
    this.touch();
  }

  /** Writes a call's request. Throws DER_INVAL, nothing sent, when the input does not fit its declaration. */
  send(call: Call, nowMs: number): void {
    const { writer } = this;
    const header = writer.header;
    call.rpc.request.write(writer.begin(), call.input);
    this.side.stamp(header);
    header.type = FrameType.REQUEST;
    header.opcode = call.rpc.opcode;
    header.rpcId = this.calls.add(call);
    header.dstRank = call.rank;
    header.dstTag = call.tag;
    header.value = Math.max(1, Math.ceil(call.deadlineMs - nowMs));
    if (call.dataLength > INLINE_BYTES_MAX) {
      header.bulk = call.dataLength;
      writer.end(undefined, 0);
    } else {
      header.bulk = 0;
      writer.end(call.data, call.dataLength);
    }
    this.touch();
  }

  /** Forgets a call that was settled before its reply came; the reply will be thrown away. */
  drop(call: Call): void {
    this.calls.remove(call);
    if (call.target) this.parser.abandon(call.target);
  }

  landing = (header: FrameHeader): Uint8Array | undefined => {
    if (header.type !== FrameType.REPLY) throw new DaosError('PROTO', 'data where none was expected');
    const call = this.calls.find(header.rpcId);
    if (!call) return undefined;
    const fills = header.dataLength === call.sink?.length;
    call.target = fills ? call.sink : Buffer.allocUnsafeSlow(header.dataLength);
    return call.target;
  };

  onFrame = (header: FrameHeader, buf: Buffer, view: DataView, bodyStart: number, data: Uint8Array | undefined): void => {
    this.reader.reset(buf, view, bodyStart, bodyStart + header.bodyLength);
    if (header.type === FrameType.REPLY && this.greeted) this.onReply(header, buf, data);
    else if (header.type === FrameType.BULK_PULL && this.greeted) this.onPull(header);
    else if (header.type === FrameType.HELLO_REPLY && !this.greeted) this.onHelloReply(header);
    else throw new DaosError('PROTO', `unexpected frame of type ${header.type}`);
  };

  protected onMalformed(error: Error): void {
    this.close(error);
  }

  protected onClosed(cause: Error | undefined): void {
    const reason = cause instanceof DaosError ? cause.detail : cause ? cause.message : 'closed by the peer';
    const error = cause instanceof DaosError && !this.greeted
      ? cause : new DaosError(this.greeted ? 'HG' : 'UNREACH', `connection lost: ${reason}`, { cause });
    this.onEnd(error);
  }

  protected onDrain(): void {
    this.onRoom();
  }

  private onReply(header: FrameHeader, buf: Buffer, data: Uint8Array | undefined): void {
    const call = this.calls.find(header.rpcId);
    if (!call) return;
    this.calls.remove(call);
    try {
      this.side.merge(header.hlc);
      if (header.value !== 0) {
        call.fail(DaosError.fromStatus(header.value, ERROR_BODY.read(this.reader).message));
      } else {
        call.succeed(call.rpc.reply.read(this.reader), replyData(call, data, buf));
      }
    } catch (error) {
      call.fail(error);
    }
    this.onRoom();
  }

  /** The server asks for a piece of a request's data. */
  private onPull(header: FrameHeader): void {
    const { rpcId, bulk: offset, value: length } = header;
    const call = this.calls.find(rpcId);
    const valid = call !== undefined && length > 0 && offset + length <= call.dataLength;
    const { writer } = this;
    const out = writer.header;
    writer.begin();
    this.side.stamp(out);
    out.type = FrameType.BULK_DATA;
    out.rpcId = rpcId;
    out.bulk = offset;
    out.value = valid ? 0 : new DaosError('CANCELED').status;
    writer.end(valid ? sliceBlocks(call.data, offset, length) : undefined, valid ? length : 0);
    this.touch();
  }

  private onHelloReply(header: FrameHeader): void {
    const reply = HELLO_REPLY.read(this.reader);
    if (header.value !== 0) {
      this.close(DaosError.fromStatus(header.value,
        `${reply.message} (peer speaks wire version ${versionText(reply)}, this side ${versionText(helloSelf())})`));
      return;
    }
    this.greeted = true;
    this.onReady();
  }
}

function replyData(call: Call, data: Uint8Array | undefined, buf: Buffer): Uint8Array {
  if (data === undefined) return NOTHING;
  if (call.target) return data;
  if (call.sink?.length === data.length) {
    call.sink.set(data);
    return call.sink;
  }
  return data.length * KEEP_RATIO < buf.length - HEADER_BYTES ? Buffer.from(data) : data;
}
