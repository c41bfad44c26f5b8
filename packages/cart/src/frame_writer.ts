import { BodyWriter } from './body_writer.js';
import { FrameHeader, HEADER_BYTES } from './frame.js';

/** Data blocks up to this length are copied behind the body: cheaper than one more entry of a gather list. */
const COPY_MAX = 16 * 1024;

/**
 * Bytes that are sent before the turn of the event loop is over. Two processes that exchange batches work in turns
 * otherwise, one of them always idle. The slab is then written anew while it is in the cache.
 */
const EARLY_BYTES = 32 * 1024;

/** Writes frames into slabs and gathers what belongs behind them. */
export class FrameWriter {
  readonly header = new FrameHeader();
  private readonly out = new BodyWriter();
  /** Bytes of data that wait to be taken, not counting what was copied. */
  attachedBytes = 0;

  get isEmpty(): boolean {
    return this.out.isEmpty;
  }

  /** Enough is written for a send of its own: while the peer works on it, this side writes on. */
  get isWorthSending(): boolean {
    return this.out.pendingBytes >= EARLY_BYTES;
  }

  /**
   * Starts a frame and returns where its body goes. The caller fills in `header`, writes the body, and calls `end`.
   * Should the body throw, the next `begin` forgets the frame.
   */
  begin(): BodyWriter {
    this.out.begin();
    this.out.ensure(HEADER_BYTES);
    this.out.pos += HEADER_BYTES;
    return this.out;
  }

  /** Finishes the frame with `dataLength` bytes of `data` behind it. Long blocks are not copied. */
  end(data: readonly Uint8Array[] | undefined, dataLength: number): void {
    const { out, header } = this;
    header.bodyLength = out.pos - out.messageStart - HEADER_BYTES;
    header.dataLength = dataLength;
    if (dataLength > 0 && dataLength <= COPY_MAX && data) {
      out.ensure(dataLength);
      header.write(out.view, out.messageStart);
      for (const block of data) {
        out.buf.set(block, out.pos);
        out.pos += block.length;
      }
      out.end();
      return;
    }
    header.write(out.view, out.messageStart);
    out.end();
    if (dataLength === 0 || !data) return;
    this.attachedBytes += dataLength;
    for (const block of data) if (block.length > 0) out.attach(block);
  }

  take(): Uint8Array[] {
    this.attachedBytes = 0;
    return this.out.take();
  }

  /** Starts over at the beginning of the slab. Only when everything taken has left the process. */
  recycle(): void {
    this.out.recycle();
  }
}

export function totalLength(blocks: readonly Uint8Array[] | undefined): number {
  if (blocks === undefined) return 0;
  if (blocks.length === 1) return (blocks[0] as Uint8Array).length;
  let total = 0;
  for (const block of blocks) total += block.length;
  return total;
}

/** The part [offset, offset + length) of blocks that lie one behind the other, as views. */
export function sliceBlocks(blocks: readonly Uint8Array[], offset: number, length: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  let skip = offset;
  let left = length;
  for (const block of blocks) {
    if (left === 0) break;
    if (skip >= block.length) {
      skip -= block.length;
      continue;
    }
    const part = block.subarray(skip, Math.min(block.length, skip + left));
    skip = 0;
    left -= part.length;
    out.push(part);
  }
  return out;
}
