import { createServer } from 'node:net';

import { DaosError } from '@daos/common';

/** Below the ports that the system hands out for outgoing connections. */
const RANGE_START = 20_000;
const RANGE_END = 32_000;
const TRIES_MAX = 50;

/** First of `count` free consecutive ports. Another process may take one before it is used. Throws DER_BUSY. */
export async function findPortRange(host: string, count: number): Promise<number> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const first = RANGE_START + Math.floor(Math.random() * (RANGE_END - RANGE_START - count));
    if (await allFree(host, first, count)) return first;
  }
  throw new DaosError('BUSY', `no ${count} consecutive free ports found on ${host}`);
}

async function allFree(host: string, first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port++) if (!(await isFree(host, port))) return false;
  return true;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}
