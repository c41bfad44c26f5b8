import { existsSync, lstatSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import { SeqPacketServer, SeqPacketSocket } from '@daos/native';

import { FrameAssembler, frameSplit } from '../src/frame.js';
import { DrpcClient, DrpcModule, DrpcRegistry, DrpcServer, DrpcStatus, drpcCall } from '../src/index.js';
import { callEncode, responseDecode, responseEncode } from '../src/message.js';

let dir: string;
let path: string;
const servers: { close(): unknown }[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drpc-'));
  path = join(dir, 'test.sock');
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await rm(dir, { recursive: true, force: true });
});

const BYTES = Buffer.from('argument');

function serve(options: Parameters<typeof DrpcServer.listen>[1] = {}): DrpcServer {
  const server = DrpcServer.listen(path, options);
  servers.push(server);
  server.register(DrpcModule.TEST, async (method, body) => {
    if (method === 1) return body;
    if (method === 2) throw new DaosError('NOSPACE', 'no room');
    if (method === 3) throw new DaosError('PROTO', 'not this');
    if (method === 4) return Buffer.alloc(300_000, 7);
    if (method === 5) await new Promise((resolve) => setTimeout(resolve, 100));
    else if (method !== 6) throw new DaosError('NOSYS', `no method ${method}`);
    return new Uint8Array(0);
  });
  return server;
}

async function failure(run: Promise<unknown> | (() => unknown)): Promise<DaosError> {
  try {
    await (typeof run === 'function' ? run() : run);
  } catch (error) {
    if (error instanceof DaosError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('calls', () => {
  it('carries the body there and back, whole at any size', async () => {
    serve();
    for (const length of [0, 1, 1000, 131_034, 131_048, 131_049, 1_000_000]) {
      const body = Buffer.alloc(length, 'xyz');
      expect(Buffer.compare(await drpcCall(path, 0, 1, body), body)).toBe(0);
    }
    expect((await drpcCall(path, 0, 4, BYTES)).length).toBe(300_000);
  });

  it('tells the handler who calls', async () => {
    const server = serve();
    let seen: unknown;
    server.register(7, (_method, _body, peer) => {
      seen = peer;
      return new Uint8Array(0);
    });
    await drpcCall(path, 7, 0, BYTES);
    expect(seen).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
  });

  it('answers unknown modules and methods, failures and bodies not understood by status', async () => {
    serve();
    expect(await failure(drpcCall(path, 9, 1, BYTES))).toMatchObject({ der: 'NOSYS' });
    expect((await failure(drpcCall(path, 0, 99, BYTES))).message).toContain(`unknown method: dRPC module 0 method 99 at ${path}`);
    expect(await failure(drpcCall(path, 0, 2, BYTES))).toMatchObject({ der: 'IO' });
    expect(await failure(drpcCall(path, 0, 3, BYTES))).toMatchObject({ der: 'PROTO' });
  });

  it('makes many calls on one connection, with rising sequence numbers', async () => {
    serve();
    const client = await DrpcClient.connect(path);
    for (let i = 0; i < 50; i++) expect(await client.call(0, 1, Buffer.from([i]))).toEqual(Buffer.from([i]));
    expect(await failure(Promise.all([client.call(0, 5, BYTES), client.call(0, 1, BYTES)]))).toMatchObject({ der: 'BUSY' });
    client.close();
    expect(await failure(client.call(0, 1, BYTES))).toMatchObject({ der: 'NO_HDL' });
  });

  it('serves connections concurrently', async () => {
    serve();
    const started = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => drpcCall(path, 0, 5, BYTES)));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('ends a call at its deadline and at its signal', async () => {
    serve();
    expect(await failure(drpcCall(path, 0, 5, BYTES, { timeoutMs: 20 }))).toMatchObject({ der: 'TIMEDOUT' });
    const abort = new AbortController();
    const call = drpcCall(path, 0, 5, BYTES, { signal: abort.signal });
    setTimeout(() => abort.abort(), 10);
    expect(await failure(call)).toMatchObject({ der: 'CANCELED' });
    expect(await failure(drpcCall(path, 0, 1, BYTES, { signal: AbortSignal.abort() }))).toMatchObject({ der: 'CANCELED' });
  });

  it('names the path when nobody is there', async () => {
    expect((await failure(drpcCall(path, 0, 1, BYTES))).message).toBe(`DER_UNREACH(-1006): cannot connect to ${path}: there is no socket`);
    await writeFile(path, '');
    expect(await failure(drpcCall(path, 0, 1, BYTES))).toMatchObject({ der: 'UNREACH' });
    const long = join(dir, 'x'.repeat(108));
    const error = await failure(drpcCall(long, 0, 1, BYTES));
    expect(error.der).toBe('INVAL');
    expect(error.message).toContain(`has ${Buffer.byteLength(long)} bytes, at most 107`);
  });

  it('says so when the connection breaks or the answer is not one', async () => {
    let answer: (socket: SeqPacketSocket) => void = (socket) => socket.close();
    servers.push(
      SeqPacketServer.listen(path, {
        mode: 0o600,
        connection: (socket) => socket.start({ packet: () => answer(socket), closed: () => {} }),
        failed: () => {},
      }),
    );
    expect(await failure(drpcCall(path, 0, 1, BYTES))).toMatchObject({ der: 'IO' });
    answer = (socket) => void socket.send([[Buffer.from('nonsense, but longer than a header')]]);
    expect((await failure(drpcCall(path, 0, 1, BYTES))).der).toMatch(/PROTO|TRUNC|OVERFLOW/);
    answer = (socket) => void socket.send(frameSplit(Buffer.from('ffff', 'hex')));
    expect(await failure(drpcCall(path, 0, 1, BYTES))).toMatchObject({ der: 'PROTO' });
    answer = (socket) => void socket.send(frameSplit(responseEncode({ sequence: 5n, status: 0, body: BYTES })));
    expect(await failure(drpcCall(path, 0, 1, BYTES))).toMatchObject({ der: 'PROTO' });
  });
});

describe('listening', () => {
  it('gives the socket the mode that was asked for', () => {
    serve();
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    const other = DrpcServer.listen(`${path}2`, { mode: 0o666 });
    servers.push(other);
    expect(lstatSync(`${path}2`).mode & 0o777).toBe(0o666);
  });

  it('refuses a socket in use, replaces a dead one, and never removes a file', async () => {
    serve();
    expect((await failure(() => DrpcServer.listen(path))).message).toContain('the socket file is in use');
    const dead = SeqPacketServer.listen(`${path}2`, { mode: 0o600, connection: () => {}, failed: () => {} });
    dead.close();
    expect(existsSync(`${path}2`)).toBe(true);
    const revived = DrpcServer.listen(`${path}2`);
    servers.push(revived);
    await writeFile(`${path}3`, 'data');
    expect(await failure(() => DrpcServer.listen(`${path}3`))).toMatchObject({ der: 'EXIST' });
    expect(existsSync(`${path}3`)).toBe(true);
    expect(await failure(() => DrpcServer.listen(join(dir, 'no', 'such.sock')))).toMatchObject({ der: 'NONEXIST' });
    expect(await failure(() => DrpcServer.listen(join(dir, 'y'.repeat(120))))).toMatchObject({ der: 'INVAL' });
  });

  it('answers running calls before it closes, then removes its file', async () => {
    const server = serve();
    const call = drpcCall(path, 0, 5, BYTES);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await server.close();
    await expect(call).resolves.toHaveLength(0);
    expect(existsSync(path)).toBe(false);
    await server.close();
  });

  it('leaves the socket file of its successor alone', async () => {
    const server = serve();
    await rm(path);
    const next = DrpcServer.listen(path);
    servers.push(next);
    await server.close();
    expect(existsSync(path)).toBe(true);
  });
});

describe('registry', () => {
  it('keeps the first handler and refuses impossible numbers', async () => {
    const registry = new DrpcRegistry();
    const handler = (): Uint8Array => new Uint8Array(0);
    registry.register(3, handler);
    expect(await failure(() => registry.register(3, () => BYTES))).toMatchObject({ der: 'EXIST' });
    expect(registry.handlerOf(3)).toBe(handler);
    expect(await failure(() => registry.register(-1, handler))).toMatchObject({ der: 'INVAL' });
    expect(await failure(() => registry.register(64, handler))).toMatchObject({ der: 'INVAL' });
    expect(await failure(() => registry.unregister(64))).toMatchObject({ der: 'INVAL' });
    registry.unregister(5);
    registry.unregister(3);
    expect(registry.handlerOf(3)).toBeUndefined();
  });
});

describe('bad peers', () => {
  /** Sends raw packets and collects what comes back until the server closes or the time is over. */
  function raw(packets: readonly Uint8Array[], waitMs = 1_000): Promise<{ messages: Buffer[]; closed: boolean }> {
    return new Promise((resolve) => {
      const socket = SeqPacketSocket.connect(path)!;
      const frames = new FrameAssembler();
      const messages: Buffer[] = [];
      const done = (closed: boolean): void => {
        clearTimeout(timer);
        socket.close();
        resolve({ messages, closed });
      };
      const timer = setTimeout(() => done(false), waitMs);
      socket.start({
        packet: (data) => {
          const message = frames.push(data);
          if (message) messages.push(message);
        },
        closed: () => done(true),
      });
      socket.send(packets.map((one) => [one])).catch(() => {});
    });
  }

  it('answers an unreadable call with sequence -1 and closes', async () => {
    serve();
    for (const bytes of [frameSplit(Buffer.from('ffffff', 'hex')).map((parts) => Buffer.concat(parts)), [Buffer.from('short')]]) {
      const { messages, closed } = await raw(bytes);
      expect(closed).toBe(true);
      expect(messages.map((message) => responseDecode(message))).toEqual([
        { sequence: -1n, status: DrpcStatus.FAILED_UNMARSHAL_CALL, body: Buffer.alloc(0) },
      ]);
    }
  });

  it('refuses a request above its limit', async () => {
    serve({ requestBytesMax: 1000 });
    expect(await failure(drpcCall(path, 0, 1, Buffer.alloc(2000)))).toMatchObject({ der: 'PROTO' });
    expect((await drpcCall(path, 0, 1, Buffer.alloc(900))).length).toBe(900);
  });

  it('survives random packets, random changes of good ones and clients that leave, and still serves others', async () => {
    serve();
    let state = 1;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const good = frameSplit(callEncode({ module: 0, method: 1, sequence: 1n, body: Buffer.alloc(200_000) })).map((p) => Buffer.concat(p));
    for (let round = 0; round < 150; round++) {
      const packets = Array.from({ length: 1 + random(4) }, (_, i) => {
        if (random(2) === 0) return Buffer.from(Uint8Array.from({ length: 1 + random(200) }, () => random(256)));
        const copy = Buffer.from(good[i % good.length]!);
        copy[random(40)] = random(256);
        return copy;
      });
      await raw(packets, 5);
      if (round % 30 === 0) expect(await drpcCall(path, 0, 1, BYTES)).toEqual(BYTES);
    }
    expect(await drpcCall(path, 0, 1, BYTES)).toEqual(BYTES);
  });
});
