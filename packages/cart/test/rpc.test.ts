import { Hlc } from '@daos/common';

import { BULK_BUDGET_BYTES, BULK_PIECE_BYTES } from '../src/limits.js';
import { cartClient, cartListen, INLINE_BYTES_MAX, type CartContext } from '../src/index.js';
import { clientOf, ECHO, FAIL, MISSING, SLEEP, startServer, SUM, sumOf } from './helpers.js';

const TO = { rank: 0, tag: 0 };

function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31) & 0xff;
  return bytes;
}

describe('a call', () => {
  let server: CartContext;
  let client: CartContext;

  beforeAll(async () => {
    server = await startServer();
    client = clientOf(server);
  });

  afterAll(async () => {
    await client.close();
    await server.close();
  });

  it('returns the output and the bytes behind the reply', async () => {
    const { output, data } = await client.call(TO, ECHO, { text: 'héllo', replyBytes: 0 }, { data: [Buffer.from('abc')] });
    expect(output).toEqual({ text: 'héllo', dataLength: 3 });
    expect(Buffer.from(data).toString()).toBe('abc');
    expect((await client.call(TO, ECHO, { text: '', replyBytes: 0 })).data.length).toBe(0);
  });

  it.each([1, 4096, 20_000, 70_000, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, BULK_PIECE_BYTES, BULK_PIECE_BYTES + 1, 6_000_001])(
    'carries %i bytes there and back unchanged', async (length) => {
      const bytes = pattern(length);
      const { output, data } = await client.call(TO, ECHO, { text: 'x', replyBytes: 0 }, { data: [bytes] });
      expect(output.dataLength).toBe(length);
      expect(Buffer.compare(data, bytes)).toBe(0);
      expect(server.bulkBytes).toBe(0);
    });

  it('gathers data from many blocks, empty ones included', async () => {
    const bytes = pattern(3_000_000);
    const blocks = [bytes.subarray(0, 1), bytes.subarray(1, 1), bytes.subarray(1, 1_500_000), bytes.subarray(1_500_000)];
    const { output } = await client.call(TO, SUM, {}, { data: blocks });
    expect(output).toEqual({ sum: sumOf(bytes), length: bytes.length });
  });

  it('lands the reply in the sink when it fills it', async () => {
    for (const length of [100, 50_000, 2_000_000]) {
      const sink = new Uint8Array(length);
      const { data } = await client.call(TO, ECHO, { text: '', replyBytes: length }, { sink });
      expect(data.buffer).toBe(sink.buffer);
      expect(sink.every((byte) => byte === 7)).toBe(true);
      const short = await client.call(TO, ECHO, { text: '', replyBytes: length }, { sink: new Uint8Array(10) });
      expect(short.data.length).toBe(length);
    }
  });

  it('keeps many calls apart', async () => {
    const calls = Array.from({ length: 2000 }, (_, i) => client.call(TO, ECHO, { text: `${i}`, replyBytes: i % 50 }));
    const results = await Promise.all(calls);
    results.forEach(({ output, data }, i) => {
      expect(output.text).toBe(`${i}`);
      expect(data.length).toBe(i % 50);
    });
  });

  it('throws the DaosError that the handler threw, with its message', async () => {
    await expect(client.call(TO, FAIL, { status: -1005 })).rejects.toMatchObject({ der: 'NONEXIST', detail: 'as asked' });
    await expect(client.call(TO, FAIL, { status: -2007 })).rejects.toMatchObject({ der: 'STALE' });
  });

  it('answers DER_MISC, without internals, when a handler fails unexpectedly', async () => {
    await expect(client.call(TO, FAIL, { status: 0 })).rejects.toMatchObject({
      der: 'MISC', detail: expect.not.stringContaining('a bug'),
    });
  });

  it('answers DER_UNREG to an unknown opcode and goes on', async () => {
    await expect(client.call(TO, MISSING, {})).rejects.toMatchObject({ der: 'UNREG' });
    expect((await client.call(TO, ECHO, { text: 'on', replyBytes: 0 })).output.text).toBe('on');
  });

  it('answers DER_BAD_TARGET to a request for another rank or tag', async () => {
    const stranger = cartClient();
    stranger.setGroup([{ rank: 9, uri: server.uri }]);
    await expect(stranger.call({ rank: 9, tag: 0 }, ECHO, { text: '', replyBytes: 0 })).rejects.toMatchObject({ der: 'BAD_TARGET' });
    await stranger.close();
  });

  it('throws DER_INVAL for input that does not fit, and leaves the connection sane', async () => {
    await expect(client.call(TO, SLEEP, { ms: -1 })).rejects.toMatchObject({ der: 'INVAL' });
    await expect(client.call(TO, ECHO, { text: 7 as unknown as string, replyBytes: 0 })).rejects.toBeDefined();
    expect((await client.call(TO, ECHO, { text: 'on', replyBytes: 0 })).output.text).toBe('on');
  });

  it('throws DER_OVERFLOW for more data than an RPC may carry', async () => {
    const block = Buffer.alloc(33 * 1024 * 1024);
    await expect(client.call(TO, SUM, {}, { data: [block, block] })).rejects.toMatchObject({ der: 'OVERFLOW' });
  });

  it('throws DER_TIMEDOUT at the deadline, and a late reply harms nothing', async () => {
    const start = performance.now();
    await expect(client.call(TO, SLEEP, { ms: 300 }, { timeoutMs: 60 })).rejects.toMatchObject({ der: 'TIMEDOUT' });
    expect(performance.now() - start).toBeLessThan(250);
    expect((await client.call(TO, SLEEP, { ms: 300 })).output).toEqual({});
  });

  it('throws DER_CANCELED when aborted, before or after it was sent', async () => {
    await expect(client.call(TO, SLEEP, { ms: 500 }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ der: 'CANCELED' });
    const controller = new AbortController();
    const call = client.call(TO, SLEEP, { ms: 500 }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(call).rejects.toMatchObject({ der: 'CANCELED' });
  });

  it('throws DER_OOG for a rank outside the group', async () => {
    await expect(client.call({ rank: 5, tag: 0 }, ECHO, { text: '', replyBytes: 0 })).rejects.toMatchObject({ der: 'OOG' });
  });
});

describe('a connection', () => {
  it('throws DER_UNREACH when nobody listens', async () => {
    const server = await startServer();
    const client = clientOf(server);
    await server.close();
    await expect(client.call(TO, ECHO, { text: '', replyBytes: 0 })).rejects.toMatchObject({ der: 'UNREACH' });
    await client.close();
  });

  it('fails calls on the way with DER_HG when it breaks, and is made anew by the next call', async () => {
    const server = await startServer();
    const port = server.port;
    const client = clientOf(server);
    const lost = client.call(TO, SLEEP, { ms: 5000 });
    const lostToo = expect(lost).rejects.toMatchObject({ der: 'HG' });
    await client.call(TO, ECHO, { text: '', replyBytes: 0 });
    await server.close();
    await lostToo;
    const again = await startServer({ port });
    expect((await client.call(TO, ECHO, { text: 'again', replyBytes: 0 })).output.text).toBe('again');
    await client.close();
    await again.close();
  });

  it('limits the calls on the wire and sends the others in order', async () => {
    const server = await startServer();
    const client = clientOf(server, { inFlightMax: 4 });
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, server.serving)), 1);
    await Promise.all(Array.from({ length: 40 }, () => client.call(TO, SLEEP, { ms: 5 })));
    clearInterval(watch);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
    await client.close();
    await server.close();
  });

  it('lets requests wait while the server is not open yet', async () => {
    const server = await startServer({ closedAtFirst: true });
    const client = clientOf(server);
    let done = false;
    const call = client.call(TO, ECHO, { text: 'x', replyBytes: 0 }).then(() => (done = true));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(done).toBe(false);
    server.open();
    await call;
    await client.close();
    await server.close();
  });

  it('finishes what is being served when it drains, and refuses new requests with DER_UNREACH', async () => {
    const server = await startServer();
    const client = clientOf(server);
    const slow = client.call(TO, SLEEP, { ms: 100 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const drained = server.drain(2000);
    await expect(client.call(TO, ECHO, { text: '', replyBytes: 0 })).rejects.toMatchObject({ der: 'UNREACH' });
    expect(await drained).toBe(true);
    await expect(slow).resolves.toBeDefined();
    await client.close();
    await server.close();
  });

  it('throws DER_BUSY for an address in use', async () => {
    const server = await startServer();
    await expect(startServer({ port: server.port })).rejects.toMatchObject({ der: 'BUSY' });
    await server.close();
  });

  it('fails calls with DER_CANCELED when the caller closes', async () => {
    const server = await startServer();
    const client = clientOf(server);
    const call = client.call(TO, SLEEP, { ms: 1000 });
    const outcome = expect(call).rejects.toMatchObject({ der: 'CANCELED' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await client.close();
    await outcome;
    await expect(client.call(TO, SLEEP, { ms: 1 })).rejects.toMatchObject({ der: 'CANCELED' });
    await server.close();
  });

  it('drops a rank that left the group, with its calls', async () => {
    const server = await startServer();
    const client = clientOf(server);
    const call = client.call(TO, SLEEP, { ms: 1000 });
    const outcome = expect(call).rejects.toMatchObject({ der: 'OOG' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.setGroup([], 7);
    await outcome;
    expect(client.groupVersion).toBe(7);
    await client.close();
    await server.close();
  });
});

describe('bulk data', () => {
  it('never takes more memory than the budget, and all requests succeed in turn', async () => {
    const budget = 3 * 1024 * 1024;
    const server = await startServer({ bulkBudgetBytes: budget });
    const client = clientOf(server);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, server.bulkBytes)), 1);
    const block = pattern(1024 * 1024);
    const sum = sumOf(block);
    const results = await Promise.all(Array.from({ length: 24 }, () => client.call(TO, SUM, {}, { data: [block] })));
    clearInterval(watch);
    for (const { output } of results) expect(output.sum).toBe(sum);
    expect(most).toBeLessThanOrEqual(budget);
    expect(server.bulkBytes).toBe(0);
    expect(BULK_BUDGET_BYTES).toBeGreaterThan(budget);
    await client.close();
    await server.close();
  });

  it('gives memory back when the client goes away in the middle', async () => {
    const server = await startServer();
    const block = Buffer.alloc(30 * 1024 * 1024);
    const clients = Array.from({ length: 4 }, () => clientOf(server));
    const calls = clients.map((client) => client.call(TO, SUM, {}, { data: [block] }).catch((error: Error) => error));
    await new Promise((resolve) => setTimeout(resolve, 15));
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(calls);
    for (let i = 0; i < 100 && (server.bulkBytes > 0 || server.serving > 0); i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(server.bulkBytes).toBe(0);
    expect(server.serving).toBe(0);
    await server.close();
  });

  it('gives up pulling when the caller has given up', async () => {
    const server = await startServer({ bulkBudgetBytes: 1024 * 1024 });
    const client = clientOf(server);
    const controller = new AbortController();
    const first = client.call(TO, SUM, {}, { data: [Buffer.alloc(40 * 1024 * 1024)], signal: controller.signal });
    const second = client.call(TO, SUM, {}, { data: [Buffer.alloc(2 * 1024 * 1024, 1)] });
    setTimeout(() => controller.abort(), 2);
    await first.catch((error: unknown) => expect(error).toMatchObject({ der: 'CANCELED' }));
    expect((await second).output.sum).toBe(2 * 1024 * 1024);
    expect(server.bulkBytes).toBe(0);
    await client.close();
    await server.close();
  });
});

describe('clocks', () => {
  it('a client forwards the latest HLC of the servers and never moves their clocks with its own', async () => {
    const ahead = new Hlc(() => Date.now() + 500);
    const one = await startServer({ hlc: ahead });
    const hlc = new Hlc();
    const two = await cartListen({ host: '127.0.0.1', port: 0, tag: 0, hlc, rank: 1 });
    two.handle(ECHO, (request) => ({ output: { text: `${request.hlc}`, dataLength: 0 } }));
    const client = cartClient();
    client.setGroup([{ rank: 0, uri: one.uri }, { rank: 1, uri: two.uri }]);
    const before = (await client.call({ rank: 1, tag: 0 }, ECHO, { text: '', replyBytes: 0 })).output.text;
    expect(before).toBe('0');
    await client.call(TO, ECHO, { text: '', replyBytes: 0 });
    const seen = BigInt((await client.call({ rank: 1, tag: 0 }, ECHO, { text: '', replyBytes: 0 })).output.text);
    expect(seen).toBeGreaterThan(0n);
    expect(hlc.get()).toBeGreaterThan(seen);
    await client.close();
    await Promise.all([one.close(), two.close()]);
  });

  it('answers DER_HLC_SYNC when a message is too far ahead', async () => {
    const far = await startServer({ hlc: new Hlc(() => Date.now() + 60_000) });
    const server = await startServer();
    const client = cartClient();
    client.setGroup([{ rank: 0, uri: far.uri }]);
    await client.call(TO, ECHO, { text: '', replyBytes: 0 });
    client.setGroup([{ rank: 0, uri: server.uri }]);
    await expect(client.call(TO, ECHO, { text: '', replyBytes: 0 })).rejects.toMatchObject({ der: 'HLC_SYNC' });
    await client.close();
    await Promise.all([far.close(), server.close()]);
  });
});
