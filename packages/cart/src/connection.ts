import type { Socket } from 'node:net';

import type { FrameReceiver } from './frame_parser.js';
import { FrameParser } from './frame_parser.js';
import { FrameWriter } from './frame_writer.js';
import { UNSENT_BYTES_HIGH } from './limits.js';

/** Sends what the connections of a context wrote during one turn of the event loop. */
export class Flusher {
  private dirty: Connection[] = [];
  private readonly flush = (): void => {
    const connections = this.dirty;
    this.dirty = [];
    for (const connection of connections) connection.flush();
  };

  schedule(connection: Connection): void {
    if (this.dirty.push(connection) === 1) setImmediate(this.flush);
  }
}

/** What the two ends of a connection have in common: a socket, a parser of what comes, a writer of what goes. */
export abstract class Connection implements FrameReceiver {
  readonly writer = new FrameWriter();
  protected readonly parser = new FrameParser(this);
  private scheduled = false;
  private closed = false;

  constructor(protected readonly socket: Socket, private readonly flusher: Flusher) {}

  abstract onFrame: FrameReceiver['onFrame'];
  abstract landing: FrameReceiver['landing'];
  /** The bytes that came are no frames. */
  protected abstract onMalformed(error: Error): void;
  /** Called once, when nothing will come or go any more. */
  protected abstract onClosed(cause: Error | undefined): void;
  /** Unsent bytes fell below the limit. */
  protected abstract onDrain(): void;

  get isClosed(): boolean {
    return this.closed;
  }

  /** True when so much is unsent that no more work should be taken on. */
  get isCongested(): boolean {
    return this.socket.writableLength + this.writer.attachedBytes > UNSENT_BYTES_HIGH;
  }

  /** Starts to read and write; the socket is connected. */
  protected start(): void {
    const { socket } = this;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('drain', () => this.onDrain());
    socket.on('error', (error) => this.close(error));
    socket.on('end', () => this.close(undefined));
    socket.on('close', () => this.close(undefined));
  }

  /** A frame was written: it leaves the process at the end of this turn of the event loop. */
  touch(): void {
    if (this.closed) return;
    if (this.writer.isWorthSending) this.sendWritten();
    if (this.scheduled) return;
    this.scheduled = true;
    this.flusher.schedule(this);
  }

  flush(): void {
    this.scheduled = false;
    if (this.closed) return;
    if (!this.writer.isEmpty) this.sendWritten();
    if (this.socket.writableLength === 0) this.onDrain();
  }

  private sendWritten(): void {
    const blocks = this.writer.take();
    const { socket } = this;
    if (blocks.length === 1) {
      socket.write(blocks[0] as Uint8Array);
    } else {
      socket.cork();
      for (const block of blocks) socket.write(block);
      socket.uncork();
    }
    // Nothing left in the stream: the kernel has copied it all, the slab is free again.
    if (socket.writableLength === 0) this.writer.recycle();
  }

  /** Sends what was written and closes. */
  closeAfterFlush(): void {
    this.flush();
    this.socket.end();
    this.close(undefined, false);
  }

  close(cause: Error | undefined, destroy = true): void {
    if (destroy) this.socket.destroy();
    if (this.closed) return;
    this.closed = true;
    this.parser.stop();
    this.onClosed(cause);
  }

  private receive(chunk: Buffer): void {
    this.take(chunk, false);
  }

  /** Bytes came into a buffer that is used again when this returns. */
  receiveShared(chunk: Buffer): void {
    this.take(chunk, true);
  }

  private take(chunk: Buffer, shared: boolean): void {
    try {
      if (shared) this.parser.feedShared(chunk);
      else this.parser.feed(chunk);
    } catch (error) {
      this.parser.stop();
      this.onMalformed(error as Error);
    }
  }
}
