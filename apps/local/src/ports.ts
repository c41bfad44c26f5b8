import { createServer } from 'node:net';

const PORT_FIRST = 20_000;
const PORT_LAST = 60_000;
const ATTEMPTS_MAX = 200;

/** True when every port of `[first, first + count)` can be bound on the loopback address. */
export async function portsAreFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port++) {
    if (!(await portIsFree(port))) return false;
  }
  return true;
}

/**
 * First port of a run of `count` consecutive free ports. Starts at a random place, so that two systems started at the
 * same time rarely meet; the process that binds one later still reports when somebody else was faster.
 */
export async function findFreePorts(count: number, taken: readonly [first: number, count: number][] = []): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const first = PORT_FIRST + Math.floor(Math.random() * (PORT_LAST - PORT_FIRST - count));
    const overlaps = taken.some(([start, length]) => first < start + length && start < first + count);
    if (!overlaps && (await portsAreFree(first, count))) return first;
  }
  throw new Error(`no ${count} consecutive free TCP ports found between ${PORT_FIRST} and ${PORT_LAST}`);
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
