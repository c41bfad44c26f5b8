import { DaosError, Hlc } from '@daos/common';

import { cartClient, cartListen, defineRpc, f, type CartContext, type CartListenOptions } from '../src/index.js';

export const ECHO = defineRpc({
  name: 'ECHO', module: 0xf2, version: 1, index: 1,
  request: { text: f.str, replyBytes: f.u32 },
  reply: { text: f.str, dataLength: f.u32 },
});

export const FAIL = defineRpc({
  name: 'FAIL', module: 0xf2, version: 1, index: 2, request: { status: f.int }, reply: {},
});

/** Answers after `ms`. */
export const SLEEP = defineRpc({
  name: 'SLEEP', module: 0xf2, version: 1, index: 3, request: { ms: f.u32 }, reply: {},
});

export const MISSING = defineRpc({ name: 'MISSING', module: 0xf2, version: 1, index: 9, request: {}, reply: {} });

/** Sum of the bytes behind the request. */
export const SUM = defineRpc({
  name: 'SUM', module: 0xf2, version: 1, index: 4, request: {}, reply: { sum: f.int, length: f.int },
});

export function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return sum;
}

/** A server of the RPCs above on a free port of the loopback interface. */
export async function startServer(options: Partial<CartListenOptions> = {}): Promise<CartContext> {
  const server = await cartListen({ host: '127.0.0.1', port: 0, tag: 0, hlc: new Hlc(), rank: 0, ...options });
  server.handle(ECHO, async (request) => {
    const data = await request.data();
    const reply = request.input.replyBytes > 0 ? [Buffer.alloc(request.input.replyBytes, 7)] : [data];
    return { output: { text: request.input.text, dataLength: data.length }, data: reply.map((b) => Buffer.from(b)) };
  });
  server.handle(FAIL, (request) => {
    if (request.input.status === 0) throw new TypeError('a bug');
    throw DaosError.fromStatus(request.input.status, 'as asked');
  });
  server.handle(SLEEP, async (request) => {
    await new Promise((resolve) => setTimeout(resolve, request.input.ms).unref());
    return { output: {} };
  });
  server.handle(SUM, async (request) => {
    const data = await request.data();
    return { output: { sum: sumOf(data), length: data.length } };
  });
  return server;
}

export function clientOf(server: CartContext, options: Parameters<typeof cartClient>[0] = {}): CartContext {
  const client = cartClient(options);
  client.setGroup([{ rank: 0, uri: server.uri }]);
  return client;
}
