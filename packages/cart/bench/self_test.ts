/**
 * Measures CaRT between two processes beside a plain echo of the same bytes over the same kind of socket.
 * Usage: node dist/bench/self_test.js [--json] [--seconds 2] [--tcp]
 */
import { fork } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { Hlc } from '@daos/common';

import { cartClient, cartListen, defineRpc, f, type CartContext } from '../src/index.js';

const PUT = defineRpc({
  name: 'SELF_TEST', module: 0xf2, version: 1, index: 1,
  request: { session: f.uuid, oid: f.oid, epoch: f.u64, flags: f.u32, replyBytes: f.u32 },
  reply: { epoch: f.u64 },
});

const SESSION = '9f1c2f6e-58d1-4ad5-8c6a-3f6d6f1c0a77';
const REPLY_BYTES = 80;
const json = process.argv.includes('--json');
const seconds = Number(process.argv[process.argv.indexOf('--seconds') + 1]) || 2;
const tcp = process.argv.includes('--tcp');

interface Figure {
  readonly name: string;
  readonly opsPerSecond: number;
  readonly clientCpuUs: number;
  readonly serverCpuUs: number;
}

async function serve(): Promise<void> {
  const server = await cartListen({ host: '127.0.0.1', port: 0, tag: 0, hlc: new Hlc(), rank: 0 });
  const zeros = Buffer.alloc(1024 * 1024);
  server.handle(PUT, (request) => {
    const answer = { output: { epoch: request.hlc }, data: [zeros.subarray(0, request.input.replyBytes)] };
    const data = request.data();
    return data instanceof Promise ? data.then(() => answer) : answer;
  });
  const path = `\0daos-self-test-${process.pid}`;
  const echo = createServer((socket) => {
    let got = 0;
    let size = 0;
    socket.on('data', (chunk) => {
      if (size === 0) size = chunk.readUInt32LE(0);
      got += chunk.length;
      const frames = Math.floor(got / size);
      got -= frames * size;
      if (frames > 0) socket.write(Buffer.allocUnsafe(frames * REPLY_BYTES));
    });
    socket.on('error', () => socket.destroy());
  });
  echo.listen(tcp ? { port: 0, host: '127.0.0.1' } : { path }, () => {
    const address = echo.address();
    process.send?.({ uri: server.uri, echo: typeof address === 'object' && address ? address.port : path });
  });
  process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
  process.on('disconnect', () => process.exit(0));
}

const child = process.env['SELF_TEST_SERVER'] ? undefined
  : fork(fileURLToPath(import.meta.url), { env: { ...process.env, SELF_TEST_SERVER: '1' }, execArgv: serverArgs() });

function serverArgs(): string[] {
  return process.env['SELF_TEST_PROF'] ? ['--cpu-prof', `--cpu-prof-dir=${process.env['SELF_TEST_PROF']}`] : [];
}

function serverCpu(): Promise<number> {
  return new Promise((resolve) => {
    child?.once('message', (message: { cpu: NodeJS.CpuUsage }) => resolve(message.cpu.user + message.cpu.system));
    child?.send('cpu');
  });
}

async function figure(name: string, run: () => Promise<number>): Promise<Figure> {
  const cpu = process.cpuUsage();
  const remote = await serverCpu();
  const start = performance.now();
  const ops = await run();
  const elapsed = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return {
    name,
    opsPerSecond: (ops / elapsed) * 1000,
    clientCpuUs: (used.user + used.system) / ops,
    serverCpuUs: ((await serverCpu()) - remote) / ops,
  };
}

async function runCart(client: CartContext, send: number, receive: number, inFlight: number): Promise<number> {
  const data = send > 0 ? [Buffer.alloc(send, 1)] : undefined;
  const oid = { hi: 1n, lo: 2n };
  const input = { session: SESSION, oid, epoch: 1n << 62n, flags: 3, replyBytes: receive };
  const end = performance.now() + seconds * 1000;
  let ops = 0;
  const worker = async (): Promise<void> => {
    const options = { ...(data && { data }), ...(receive > 0 && { sink: Buffer.alloc(receive) }) };
    while (performance.now() < end) {
      await client.call({ rank: 0, tag: 0 }, PUT, input, options);
      ops++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return ops;
}

/** One frame of `send + 160` bytes each, `inFlight` at a time, written one by one as an application would. */
function runEcho(where: string | number, send: number, inFlight: number): Promise<number> {
  const frame = Buffer.alloc(send + 160);
  frame.writeUInt32LE(frame.length, 0);
  return new Promise((resolve, reject) => {
    const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect({ path: where });
    socket.setNoDelay(true);
    const end = performance.now() + seconds * 1000;
    let got = 0;
    let ops = 0;
    const write = (count: number): void => {
      socket.cork();
      for (let i = 0; i < count; i++) socket.write(Buffer.from(frame.buffer, frame.byteOffset, frame.length));
      socket.uncork();
    };
    socket.on('connect', () => write(inFlight));
    socket.on('data', (chunk) => {
      got += chunk.length;
      const replies = Math.floor(got / REPLY_BYTES);
      got -= replies * REPLY_BYTES;
      ops += replies;
      if (performance.now() < end) return write(replies);
      socket.destroy();
      return resolve(ops);
    });
    socket.on('error', reject);
  });
}

async function main(): Promise<void> {
  const where = await new Promise<{ uri: string; echo: string | number }>((resolve) => child?.once('message', resolve));
  const client = cartClient();
  client.setGroup([{ rank: 0, uri: where.uri }]);
  const cases: [string, number, number, number][] = [
    ['empty', 0, 0, 1], ['empty', 0, 0, 32], ['4 KiB put', 4096, 0, 1], ['4 KiB put', 4096, 0, 32],
    ['4 KiB get', 0, 4096, 32], ['64 KiB put', 65536, 0, 16], ['1 MiB put', 1048576, 0, 8], ['1 MiB get', 0, 1048576, 8],
  ];
  const only = process.env['SELF_TEST_ONLY'];
  for (const [what, send, receive, inFlight] of cases.filter(([w]) => !only || w === only)) {
    await runCart(client, send, receive, inFlight).then(() => undefined);
    const ours = await figure(`${what}, ${inFlight} in flight`, () => runCart(client, send, receive, inFlight));
    const echo = receive > 0 ? undefined : await figure('echo', () => runEcho(where.echo, send, inFlight));
    print(ours, echo, Math.max(send, receive));
  }
  await client.close();
  child?.disconnect();
}

function print(ours: Figure, echo: Figure | undefined, bytes: number): void {
  const mb = (ours.opsPerSecond * bytes) / 1e6;
  const ratio = echo && ours.opsPerSecond / echo.opsPerSecond;
  if (json) {
    console.log(JSON.stringify({
      name: ours.name, ops_per_s: Math.round(ours.opsPerSecond), mb_per_s: Math.round(mb), reference: 'plain echo',
      reference_ops_per_s: echo && Math.round(echo.opsPerSecond), ratio,
      client_cpu_us: ours.clientCpuUs, server_cpu_us: ours.serverCpuUs,
    }));
    return;
  }
  const pad = (n: number | undefined, digits = 0): string => (n === undefined ? '-' : n.toFixed(digits)).padStart(9);
  console.log(`${ours.name.padEnd(24)} ${pad(ours.opsPerSecond)}/s ${pad(mb)} MB/s  echo ${pad(echo?.opsPerSecond)}/s` +
    `  ratio ${pad(ratio, 2)}  CPU us: client ${pad(ours.clientCpuUs, 1)} server ${pad(ours.serverCpuUs, 1)}` +
    `  (echo ${pad(echo?.clientCpuUs, 1)} ${pad(echo?.serverCpuUs, 1)})`);
}

await (child ? main() : serve());
