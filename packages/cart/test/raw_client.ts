import { connect, type Socket } from 'node:net';

import { FrameHeader, FrameType, HEADER_BYTES } from '../src/frame.js';
import { HELLO, helloSelf } from '../src/hello.js';
import type { CartContext, RpcDef } from '../src/index.js';

/** One frame's bytes, well formed unless `change` makes it otherwise before the checksum is made. */
export function frameBytes(body: Uint8Array, data: Uint8Array, change: (header: FrameHeader) => void): Buffer {
  const header = new FrameHeader();
  header.bodyLength = body.length;
  header.dataLength = data.length;
  change(header);
  const head = Buffer.alloc(HEADER_BYTES);
  header.write(new DataView(head.buffer, head.byteOffset, head.length), 0);
  return Buffer.concat([head, body, data]);
}

export function helloBytes(range = helloSelf()): Buffer {
  return frameBytes(HELLO.encode(range), Buffer.alloc(0), (header) => {
    header.type = FrameType.HELLO;
  });
}

export function requestBytes<Req>(rpc: RpcDef<Req, unknown>, input: Req, data = Buffer.alloc(0), bulk = 0): Buffer {
  return frameBytes(rpc.request.encode(input), data, (header) => {
    header.type = FrameType.REQUEST;
    header.opcode = rpc.opcode;
    header.rpcId = 5;
    header.value = 1000;
    header.bulk = bulk;
  });
}

/** A peer that sends what it likes. */
export class RawClient {
  received = Buffer.alloc(0);
  readonly closed: Promise<void>;
  private waiters: (() => void)[] = [];

  private constructor(readonly socket: Socket) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      for (const wake of this.waiters.splice(0)) wake();
    });
  }

  static async connect(server: CartContext): Promise<RawClient> {
    const socket = connect(server.port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  send(...parts: Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The next whole frame. */
  async frame(): Promise<{ header: FrameHeader; body: Buffer; data: Buffer }> {
    for (;;) {
      const bytes = this.received;
      if (bytes.length >= HEADER_BYTES) {
        const header = new FrameHeader();
        if (!header.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)) throw new Error('no frame');
        if (bytes.length >= header.length) {
          const dataStart = HEADER_BYTES + header.bodyLength;
          this.received = bytes.subarray(header.length);
          return { header, body: bytes.subarray(HEADER_BYTES, dataStart), data: bytes.subarray(dataStart, header.length) };
        }
      }
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
