import { DaosError } from '@daos/common';

import { FrameHeader, HEADER_BYTES } from './frame.js';
import { BODY_BYTES_MAX, DATA_BYTES_MAX } from './limits.js';

/** Data longer than this is written to where it is wanted as it arrives. */
const LANDING_MIN = 32 * 1024;

export interface FrameReceiver {
  /**
   * A whole frame. The body starts at `bodyStart` in `buf`, of which `view` is a view. `data` are the bytes behind the
   * body: a part of `buf`, what `landing` returned, or undefined when there are none or nobody wanted them.
   */
  onFrame(header: FrameHeader, buf: Buffer, view: DataView, bodyStart: number, data: Uint8Array | undefined): void;
  /**
   * Where long data of the frame shall land: a buffer of at least that length, or undefined to throw the data away.
   * Throws to refuse the frame.
   */
  landing(header: FrameHeader): Uint8Array | undefined;
}

/**
 * Cuts a stream of chunks into frames. Frames that lie whole in a chunk are handed on as views of it; a frame that
 * spans chunks is put together in a buffer of its own; long data goes to its destination, each byte copied once.
 */
export class FrameParser {
  private readonly header = new FrameHeader();
  private stopped = false;

  /** Start of a frame that is not whole yet: header, body and short data. */
  private held: Buffer | undefined;
  private heldLength = 0;

  /** Frame whose long data is arriving: its first part, its body, the destination. */
  private landingBuf: Buffer | undefined;
  private landingView: DataView | undefined;
  private landingBody = 0;
  private target: Uint8Array | undefined;
  private landed = 0;
  private landingLeft = 0;

  constructor(private readonly receiver: FrameReceiver) {}

  /** No more frames are handed on. */
  stop(): void {
    this.stopped = true;
    this.held = undefined;
    this.target = undefined;
    this.landingBuf = undefined;
    this.landingView = undefined;
  }

  /** Throws away what is still to come of data that is landing in `target`, which is then no longer written to. */
  abandon(target: Uint8Array): void {
    if (this.target === target) this.target = undefined;
  }

  /**
   * As `feed`, of a chunk that is overwritten afterwards: long data goes from it to its destination, all else is copied
   * first.
   */
  feedShared(chunk: Buffer): void {
    let pos = 0;
    while (pos < chunk.length && !this.stopped) {
      const long = this.landingLeft > 0 ? 0 : this.longFrameStart(chunk, pos);
      if (this.landingLeft > 0) {
        pos = this.land(chunk, pos);
      } else if (long > 0) {
        this.feed(Buffer.from(chunk.subarray(pos, pos + long)));
        pos += long;
      } else {
        return this.feed(Buffer.from(chunk.subarray(pos)));
      }
    }
  }

  /** Bytes of header and body when a frame with long data starts at `pos` and its data starts in the chunk, else 0. */
  private longFrameStart(chunk: Buffer, pos: number): number {
    if (this.held || chunk.length - pos < HEADER_BYTES) return 0;
    const needed = this.readHeader(new DataView(chunk.buffer, chunk.byteOffset, chunk.length), pos);
    return this.header.dataLength > LANDING_MIN && chunk.length - pos > needed ? needed : 0;
  }

  /** Throws DER_PROTO, after which nothing more may be fed, when the bytes are no frames within the limits. */
  feed(chunk: Buffer): void {
    const end = chunk.length;
    let view: DataView | undefined;
    let pos = 0;
    while (pos < end && !this.stopped) {
      if (this.landingLeft > 0) {
        pos = this.land(chunk, pos);
      } else if (this.held) {
        pos = this.fill(this.held, chunk, pos);
      } else {
        view ??= new DataView(chunk.buffer, chunk.byteOffset, end);
        const needed = end - pos < HEADER_BYTES ? HEADER_BYTES : this.readHeader(view, pos);
        if (end - pos < needed) return this.hold(chunk, pos, needed);
        pos = this.deliver(chunk, view, pos, needed);
      }
    }
  }

  /** Reads a header and returns how many bytes from its start must lie in one buffer. */
  private readHeader(view: DataView, at: number): number {
    const header = this.header;
    if (!header.read(view, at)) throw new DaosError('PROTO', 'not a CaRT frame');
    if (header.bodyLength > BODY_BYTES_MAX) {
      throw new DaosError('PROTO', `a body of ${header.bodyLength} bytes is above the limit of ${BODY_BYTES_MAX}`);
    }
    if (header.dataLength > DATA_BYTES_MAX) {
      throw new DaosError('PROTO', `data of ${header.dataLength} bytes is above the limit of ${DATA_BYTES_MAX}`);
    }
    const data = header.dataLength <= LANDING_MIN ? header.dataLength : 0;
    return HEADER_BYTES + header.bodyLength + data;
  }

  private hold(chunk: Buffer, pos: number, needed: number): void {
    this.held = Buffer.allocUnsafeSlow(needed);
    this.heldLength = chunk.copy(this.held, 0, pos);
  }

  private fill(held: Buffer, chunk: Buffer, pos: number): number {
    const taken = chunk.copy(held, this.heldLength, pos);
    this.heldLength += taken;
    if (this.heldLength < held.length) return pos + taken;
    const view = new DataView(held.buffer, held.byteOffset, held.length);
    const needed = this.readHeader(view, 0);
    if (needed > held.length) {
      this.hold(held, 0, needed);
    } else {
      this.held = undefined;
      this.deliver(held, view, 0, needed);
    }
    return pos + taken;
  }

  /** Hands on the frame that starts at `at`, or starts the landing of its data. Returns where the next bytes are. */
  private deliver(buf: Buffer, view: DataView, at: number, length: number): number {
    const header = this.header;
    const bodyStart = at + HEADER_BYTES;
    if (header.dataLength > LANDING_MIN) {
      this.landingBuf = buf;
      this.landingView = view;
      this.landingBody = bodyStart;
      this.target = this.receiver.landing(header);
      this.landed = 0;
      this.landingLeft = header.dataLength;
    } else {
      const dataStart = bodyStart + header.bodyLength;
      const data = header.dataLength === 0 ? undefined : buf.subarray(dataStart, dataStart + header.dataLength);
      this.receiver.onFrame(header, buf, view, bodyStart, data);
    }
    return at + length;
  }

  private land(chunk: Buffer, pos: number): number {
    const length = Math.min(this.landingLeft, chunk.length - pos);
    if (this.target) chunk.copy(this.target, this.landed, pos, pos + length);
    this.landed += length;
    this.landingLeft -= length;
    if (this.landingLeft === 0) this.finishLanding();
    return pos + length;
  }

  private finishLanding(): void {
    const { landingBuf, landingView, target } = this;
    this.landingBuf = undefined;
    this.landingView = undefined;
    this.target = undefined;
    if (!landingBuf || !landingView) return;
    this.receiver.onFrame(this.header, landingBuf, landingView, this.landingBody,
      target?.subarray(0, this.header.dataLength));
  }
}
