import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { PACKET_BYTES_MAX, SeqPacketServer, SeqPacketSocket } from '../src/index.js';

let dir: string;
let path: string;
const open: { close(): void }[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'seq-'));
  path = join(dir, 's');
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
  rmSync(dir, { recursive: true });
});

function listen(connection: (socket: SeqPacketSocket) => void): SeqPacketServer {
  const server = SeqPacketServer.listen(path, { mode: 0o600, connection, failed: (error) => { throw error; } });
  open.push(server);
  return server;
}

function connect(): SeqPacketSocket {
  const socket = SeqPacketSocket.connect(path)!;
  open.push(socket);
  return socket;
}

describe('sequential packets', () => {
  it('keeps packets whole and in order, both ways', async () => {
    listen((socket) => socket.start({ packet: (data) => void socket.send([[Buffer.from(data)]]), closed: () => {} }));
    const socket = connect();
    const sizes = [1, 2, 1000, PACKET_BYTES_MAX];
    const got = await new Promise<number[]>((resolve) => {
      const lengths: number[] = [];
      socket.start({
        packet: (data, length) => {
          expect(data.length).toBe(length);
          expect(data.every((byte) => byte === data.length % 251)).toBe(true);
          if (lengths.push(length) === sizes.length) resolve(lengths);
        },
        closed: () => {},
      });
      void socket.send(sizes.map((size) => [Buffer.alloc(size, size % 251)]));
    });
    expect(got).toEqual(sizes);
  });

  it('reports a packet that is too long with its real length', async () => {
    listen((socket) => void socket.send([[Buffer.alloc(PACKET_BYTES_MAX), Buffer.alloc(5)]]));
    const seen = await new Promise<number[]>((resolve) =>
      connect().start({ packet: (data, length) => resolve([data.length, length]), closed: () => {} }),
    );
    expect(seen).toEqual([PACKET_BYTES_MAX, PACKET_BYTES_MAX + 5]);
  });

  it('knows the process at the other end', async () => {
    const peer = await new Promise((resolve) => {
      listen((socket) => resolve(socket.peer));
      connect();
    });
    expect(peer).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
  });

  it('makes the sender wait while the receiver does not read, and loses nothing', async () => {
    const count = 200;
    let receiver: SeqPacketSocket | undefined;
    let received = 0;
    const complete = new Promise<void>((resolve) => {
      listen((socket) => {
        receiver = socket;
        socket.start({ packet: () => { if (++received === count) resolve(); }, closed: () => {} });
        socket.pause();
      });
    });
    const sender = connect();
    let sent = false;
    const sending = sender.send(Array.from({ length: count }, () => [Buffer.alloc(50_000)])).then(() => (sent = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toBe(false);
    receiver?.resume();
    await Promise.all([sending, complete]);
    expect(received).toBe(count);
  });

  it('tells both sides of the end, and rejects what could not be sent', async () => {
    let accepted: SeqPacketSocket | undefined;
    listen((socket) => (accepted = socket));
    const socket = connect();
    const blocked = socket.send(Array.from({ length: 100 }, () => [Buffer.alloc(100_000)]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    accepted?.close();
    await expect(blocked).rejects.toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
    await expect(socket.send([[Buffer.alloc(1)]])).rejects.toMatchObject({ code: 'EPIPE' });
    const other = connect();
    const closed = new Promise((resolve) => other.start({ packet: () => {}, closed: resolve }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    accepted?.close();
    expect(await closed).toBeUndefined();
  });

  it('throws the error of the system for paths that cannot be used', () => {
    expect(() => SeqPacketSocket.connect(path)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => SeqPacketSocket.connect(join(dir, 'x'.repeat(120)))).toThrow(expect.objectContaining({ code: 'ENAMETOOLONG' }));
    listen(() => {});
    expect(() => listen(() => {})).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
    open[0]?.close();
    expect(existsSync(path)).toBe(true);
    expect(() => SeqPacketSocket.connect(path)).toThrow(expect.objectContaining({ code: 'ECONNREFUSED' }));
  });

  it('lets a thread end while sockets are open', async () => {
    listen(() => {});
    const code = `
      const { workerData } = require('node:worker_threads');
      import(workerData.module).then(({ SeqPacketServer, SeqPacketSocket, crc32c }) => {
        crc32c(new Uint8Array(8));
        const socket = SeqPacketSocket.connect(workerData.path);
        socket.start({ packet() {}, closed() {} });
        SeqPacketServer.listen(workerData.path + '2', { mode: 0o600, connection() {}, failed() {} });
        setTimeout(() => process.exit(7), 20);
      });`;
    const module = new URL('../src/index.js', import.meta.url).href;
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(code, { eval: true, workerData: { module, path } });
      expect(await new Promise((resolve) => worker.on('exit', resolve))).toBe(7);
      rmSync(`${path}2`, { force: true });
    }
  });
});
