import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

import { daosInit, type Daos, type KvObject } from '@daos/client';

import { TempSystem } from '../src/index.js';

const CONNECTIONS = 60;

describe('bytes that are no CaRT frames', () => {
  let temp: TempSystem;
  let daos: Daos;
  let kv: KvObject;
  let ports: number[];

  beforeAll(async () => {
    temp = await TempSystem.start();
    daos = await daosInit({ agentDir: temp.system.agentDir });
    const pool = await daos.poolConnect('tank');
    const cont = await pool.contOpen('home', { mode: 'rw' });
    kv = await cont.kvCreate({ class: 'SX' });
    const engine = temp.system.folder.readPlan().engines[0];
    if (!engine) throw new Error('no engine');
    ports = [engine.fabricPort, ...Array.from({ length: engine.targets }, (_, target) => engine.fabricPort + 2 + target)];
  }, 60_000);
  afterAll(async () => {
    await daos.close();
    await temp.remove();
  }, 60_000);

  it.each([
    ['random bytes', () => randomBytes(4096)],
    ['a length of 4 GiB', () => Buffer.alloc(256, 0xff)],
    ['an HTTP request', () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['half a header', () => randomBytes(7)],
  ])('%s on every port harm nobody else', async (_name, bytes) => {
    const pids = temp.system.enginePids();
    const writes = Promise.all(Array.from({ length: 200 }, (_, i) => kv.put(`k${i}`, Buffer.from(`v${i}`))));
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => sendBytes(ports[i % ports.length] ?? 0, bytes())));
    await writes;
    expect(await kv.get('k7')).toEqual(Buffer.from('v7'));
    expect(temp.system.enginePids()).toEqual(pids);
  });

  it('are logged, but not once per connection', async () => {
    const log = await readFile(join(temp.system.folder.logDir, 'daos_engine.0.log'), 'utf8');
    const lines = log.split('\n').filter((line) => /frame|magic|malformed/i.test(line));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(CONNECTIONS);
  });
});

/** Sends bytes and waits until the other side, or we, close. */
function sendBytes(port: number, bytes: Buffer): Promise<void> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('error', () => done());
    socket.on('close', () => done());
    socket.resume();
    setTimeout(() => socket.destroy(), 2000).unref();
  });
}
