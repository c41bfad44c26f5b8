import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

import { measure, type Measured } from './latency.js';

export const ECHO_REFERENCE = 'TCP echo';

/**
 * What two Node processes can do on this machine at best: a plain TCP echo of the same payload over loopback, one write
 * per message and side, the same number in flight.
 */
export async function measureEcho(payloadBytes: number, inFlight: number, count: number, secondsMax: number): Promise<Measured> {
  const server = spawn(process.execPath, [fileURLToPath(new URL('./echo_server.js', import.meta.url)), String(payloadBytes)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const socket = connect({ port: Number(line.toString()), host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    try {
      const echo = new EchoClient(socket, payloadBytes);
      await measure(Math.min(count, 2000), inFlight, () => echo.roundTrip());
      return await measure(count, inFlight, () => echo.roundTrip(), secondsMax);
    } finally {
      socket.destroy();
    }
  } finally {
    server.stdin.end();
    await once(server, 'exit');
  }
}

class EchoClient {
  private readonly payload: Buffer;
  private readonly waiting: (() => void)[] = [];
  private first = 0;
  private received = 0;

  constructor(
    private readonly socket: Socket,
    private readonly payloadBytes: number,
  ) {
    this.payload = Buffer.alloc(payloadBytes, 0x5a);
    socket.on('data', (chunk: Buffer) => this.receive(chunk.length));
  }

  roundTrip(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.socket.write(this.payload);
    });
  }

  private receive(bytes: number): void {
    this.received += bytes;
    for (; this.received >= this.payloadBytes; this.received -= this.payloadBytes) {
      this.waiting[this.first++]?.();
      if (this.first === 1024) {
        this.waiting.splice(0, this.first);
        this.first = 0;
      }
    }
  }
}
