import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { configureLogging, seededRandom } from '@daos/gurt';

import { FrameType, HEADER_BYTES, WIRE_VERSION } from '../src/frame.js';
import { FrameParser } from '../src/frame_parser.js';
import { HELLO_REPLY } from '../src/hello.js';
import { cartClient, type CartContext } from '../src/index.js';
import { BODY_BYTES_MAX, DATA_BYTES_MAX } from '../src/limits.js';
import { clientOf, ECHO, MISSING, startServer, SUM } from './helpers.js';
import { frameBytes, helloBytes, RawClient, requestBytes } from './raw_client.js';

const TO = { rank: 0, tag: 0 };
const INPUT = { text: 'x', replyBytes: 0 };

describe('a server', () => {
  let server: CartContext;
  let bystander: CartContext;

  beforeAll(async () => {
    server = await startServer();
    bystander = clientOf(server);
    await bystander.call(TO, ECHO, INPUT);
  });

  afterEach(async () => {
    expect((await bystander.call(TO, ECHO, { text: 'well', replyBytes: 0 })).output.text).toBe('well');
  });

  afterAll(async () => {
    await bystander.close();
    await server.close();
  });

  async function closesAfter(...parts: Buffer[]): Promise<void> {
    const peer = await RawClient.connect(server);
    peer.send(...parts);
    await peer.closed;
  }

  it('closes a connection that sends random bytes', async () => {
    await closesAfter(randomBytes(1000));
    await closesAfter(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: someone/1.0 (very curious)\r\n\r\n'));
    await closesAfter(helloBytes(), randomBytes(200_000));
  });

  it('closes a connection whose header has a wrong checksum', async () => {
    const bytes = requestBytes(ECHO, INPUT);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await closesAfter(helloBytes(), bytes);
  });

  it('closes a connection that announces more than the limits, without waiting for it', async () => {
    await closesAfter(helloBytes(), frameBytes(Buffer.alloc(0), Buffer.alloc(0), (header) => {
      header.type = FrameType.REQUEST;
      header.bodyLength = BODY_BYTES_MAX + 1;
    }));
    await closesAfter(helloBytes(), frameBytes(Buffer.alloc(0), Buffer.alloc(0), (header) => {
      header.type = FrameType.REQUEST;
      header.dataLength = DATA_BYTES_MAX + 1;
    }));
  });

  it('takes no request before the greeting, no second greeting, no data that it did not ask for', async () => {
    await closesAfter(requestBytes(ECHO, INPUT));
    await closesAfter(helloBytes(), helloBytes());
    for (const length of [10, 100_000]) {
      await closesAfter(helloBytes(), frameBytes(Buffer.alloc(0), Buffer.alloc(length), (header) => {
        header.type = FrameType.BULK_DATA;
        header.rpcId = 3;
      }));
    }
    await closesAfter(helloBytes(), frameBytes(Buffer.alloc(0), Buffer.alloc(0), (header) => {
      header.type = 77;
    }));
  });

  it('closes a peer that answers a pull with other bytes than were asked for', async () => {
    const peer = await RawClient.connect(server);
    peer.send(helloBytes(), requestBytes(SUM, {}, Buffer.alloc(0), 300_000));
    await peer.frame();
    const { header } = await peer.frame();
    expect(header).toMatchObject({ type: FrameType.BULK_PULL, rpcId: 5, bulk: 0, value: 300_000 });
    peer.send(frameBytes(Buffer.alloc(0), Buffer.alloc(50_000), (reply) => {
      reply.type = FrameType.BULK_DATA;
      reply.rpcId = 5;
    }));
    await peer.closed;
  });

  it('logs what one peer does once, however often it comes back', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'daos-cart-'));
    const file = join(dir, 'server.log');
    configureLogging({ mask: 'WARN', file });
    const fresh = await startServer();
    for (let i = 0; i < 5; i++) {
      const peer = await RawClient.connect(fresh);
      peer.send(randomBytes(200));
      await peer.closed;
    }
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBe(1);
    expect(lines[0]).toMatch(/WARN .* rpc {2}closing connection from 127\.0\.0\.1:\d+: not a CaRT frame$/);
    await fresh.close();
    configureLogging({ mask: 'EMIT', file: '' });
    rmSync(dir, { recursive: true });
  });

  it('forgets a truncated frame when the peer goes away', async () => {
    const bytes = Buffer.concat([helloBytes(), requestBytes(ECHO, INPUT, Buffer.alloc(100_000))]);
    for (const length of [10, HEADER_BYTES, 200, 60_000, bytes.length - 1]) {
      const peer = await RawClient.connect(server);
      peer.send(bytes.subarray(0, length));
      await new Promise((resolve) => setTimeout(resolve, 5));
      peer.close();
    }
    expect(server.serving).toBeLessThanOrEqual(1);
  });

  it('answers DER_UNREG to an unknown opcode and DER_PROTO to a malformed body, and serves on', async () => {
    const peer = await RawClient.connect(server);
    peer.send(helloBytes());
    await peer.frame();
    peer.send(frameBytes(Buffer.from([0x90]), Buffer.alloc(0), (header) => {
      header.type = FrameType.REQUEST;
      header.opcode = 0xdeadbeef;
      header.rpcId = 1;
    }));
    expect((await peer.frame()).header).toMatchObject({ type: FrameType.REPLY, rpcId: 1, value: -1021 });
    peer.send(frameBytes(Buffer.from([0x95, 1, 2]), Buffer.alloc(0), (header) => {
      header.type = FrameType.REQUEST;
      header.opcode = ECHO.opcode;
      header.rpcId = 2;
    }));
    expect((await peer.frame()).header).toMatchObject({ rpcId: 2, value: -1014 });
    peer.send(requestBytes(ECHO, INPUT));
    expect((await peer.frame()).header).toMatchObject({ rpcId: 5, value: 0 });
    peer.close();
  });

  it('refuses a peer that speaks no common wire version, naming both', async () => {
    const peer = await RawClient.connect(server);
    peer.send(helloBytes({ versionMin: 8, versionMax: 9, pid: 1, host: 'future' }));
    const { header, body } = await peer.frame();
    expect(header.value).toBe(-1014);
    expect(HELLO_REPLY.decode(body)).toMatchObject({
      version: 0, message: `wire version 8 to 9 of the client is not supported, this server speaks ${WIRE_VERSION}`,
    });
    await peer.closed;
  });

  it('serves no more requests of a peer that does not take its replies, and goes on when it does', async () => {
    let served = 0;
    const block = Buffer.alloc(1_000_000);
    const busy = await startServer();
    busy.handle(MISSING, () => {
      served++;
      return { output: {}, data: [block] };
    });
    const peer = await RawClient.connect(busy);
    peer.socket.pause();
    peer.send(helloBytes());
    for (let i = 0; i < 200; i++) peer.send(requestBytes(MISSING, {}));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(served).toBeGreaterThan(5);
    expect(served).toBeLessThan(50);
    peer.socket.removeAllListeners('data');
    peer.socket.resume();
    for (let i = 0; i < 500 && served < 200; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(served).toBe(200);
    peer.close();
    await busy.close();
  });

  it('survives 20,000 mutated frames', async () => {
    const random = seededRandom(20_261_124);
    const samples = [
      requestBytes(ECHO, { text: 'some text of a request', replyBytes: 40 }, Buffer.from('data')),
      requestBytes(SUM, {}, Buffer.alloc(0), 200_000),
      frameBytes(Buffer.alloc(0), Buffer.alloc(64), (header) => {
        header.type = FrameType.BULK_DATA;
        header.rpcId = 5;
      }),
    ];
    let frames = 0;
    while (frames < 20_000) {
      const peer = await RawClient.connect(server);
      const batch = [helloBytes()];
      for (let i = 0; i < 40; i++, frames++) batch.push(mutate(samples[random.below(samples.length)] as Buffer, random.below));
      peer.send(...batch);
      peer.socket.end();
      await Promise.race([peer.closed, new Promise((resolve) => setTimeout(resolve, 3))]);
      peer.close();
    }
    for (let i = 0; i < 200 && server.serving > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.serving).toBe(0);
    expect(server.bulkBytes).toBe(0);
  });
});

/**
 * Half of the mutations leave the checksum valid, so that what lies behind it is reached: they change the body, or a
 * field of the header before the checksum is made anew.
 */
function mutate(sample: Buffer, below: (bound: number) => number): Buffer {
  const bytes = Buffer.from(sample);
  switch (below(5)) {
    case 0:
      bytes[below(bytes.length)] = below(256);
      return bytes;
    case 1:
      return bytes.subarray(0, below(bytes.length));
    case 2:
      return bytes;
    case 3:
      bytes[HEADER_BYTES + below(Math.max(1, bytes.length - HEADER_BYTES))] = below(256);
      return bytes.subarray(0, sample.length);
    default:
      return frameBytes(sample.subarray(HEADER_BYTES), Buffer.alloc(0), (header) => {
        const fields = ['type', 'rpcId', 'value', 'bulk', 'dstTag', 'dstRank', 'opcode', 'dataLength', 'bodyLength'] as const;
        header.type = FrameType.REQUEST;
        header.opcode = ECHO.opcode;
        header[fields[below(fields.length)] ?? 'type'] = below(3) === 0 ? below(0x1_0000_0000) | 0 : below(300);
      });
  }
}

describe('a client', () => {
  it('reports both versions when the server refuses it', async () => {
    const { createServer } = await import('node:net');
    const fake = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(frameBytes(
        HELLO_REPLY.encode({ version: 0, versionMin: 4, versionMax: 5, message: 'too old' }), Buffer.alloc(0), (header) => {
          header.type = FrameType.HELLO_REPLY;
          header.value = -1014;
        })));
    });
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    const client = cartClient();
    client.setGroup([{ rank: 0, uri: `tcp://127.0.0.1:${(fake.address() as { port: number }).port}` }]);
    await expect(client.call(TO, ECHO, INPUT)).rejects.toMatchObject({
      der: 'PROTO', message: expect.stringMatching(/too old \(peer speaks wire version 4 to 5, this side 1\)/),
    });
    await client.close();
    await new Promise((resolve) => fake.close(resolve));
  });

  it('fails its calls when the server sends garbage', async () => {
    const { createServer } = await import('node:net');
    const fake = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(randomBytes(300)));
    });
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    const client = cartClient();
    client.setGroup([{ rank: 0, uri: `tcp://127.0.0.1:${(fake.address() as { port: number }).port}` }]);
    await expect(client.call(TO, ECHO, INPUT)).rejects.toMatchObject({ der: 'PROTO' });
    await client.close();
    await new Promise((resolve) => fake.close(resolve));
  });
});

describe('the parser', () => {
  it.each([['fresh', false], ['overwritten', true]])('cuts the same frames out of any %s chunks', (_, shared) => {
    const random = seededRandom(7);
    const stream: Buffer[] = [];
    const expected: string[] = [];
    for (let i = 0; i < 200; i++) {
      const body = Buffer.alloc(random.below(300), i);
      const data = Buffer.alloc([0, 10, 5000, 40_000, 150_000][random.below(5)] ?? 0, i + 1);
      stream.push(frameBytes(body, data, (header) => {
        header.rpcId = i;
      }));
      expected.push(`${i} ${body.toString('hex').slice(0, 20)} ${body.length} ${data.length} ${data[0] ?? '-'} ${data.at(-1) ?? '-'}`);
    }
    const bytes = Buffer.concat(stream);
    for (const chunkMax of [1, 1000, 65_536, 500_000]) {
      // looked at when all is over: what was handed on stays as it was
      const frames: (() => string)[] = [];
      const received = Buffer.alloc(500_000);
      const parser = new FrameParser({
        landing: (header) => Buffer.alloc(header.dataLength),
        onFrame(header, buf, _view, bodyStart, data) {
          const body = buf.subarray(bodyStart, bodyStart + header.bodyLength);
          const length = data?.length ?? 0;
          const { rpcId } = header;
          frames.push(() => `${rpcId} ${body.toString('hex').slice(0, 20)} ${body.length} ${length} ${data?.[0] ?? '-'} ${data?.[length - 1] ?? '-'}`);
        },
      });
      const limit = chunkMax === 1 ? 30_000 : bytes.length;
      for (let at = 0; at < limit;) {
        const next = Math.min(limit, at + 1 + random.below(chunkMax));
        if (shared) {
          parser.feedShared(received.subarray(0, bytes.copy(received, 0, at, next)));
          received.fill(0xff, 0, next - at);
        } else {
          parser.feed(Buffer.from(bytes.subarray(at, next)));
        }
        at = next;
      }
      const seen = frames.map((frame) => frame());
      expect(seen).toEqual(expected.slice(0, seen.length));
      if (limit === bytes.length) expect(seen.length).toBe(200);
    }
  });
});
