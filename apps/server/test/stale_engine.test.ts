import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ControlLog } from '@daos/control';

import { clearStaleEngine } from '../src/harness/engine_process.js';
import { identifyProcess, isSameProcess, type ProcessIdentity } from '../src/harness/process_identity.js';
import { ServerLock } from '../src/server_lock.js';

let dir: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dstale-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function orphan(word: string): Promise<ProcessIdentity> {
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', word], { stdio: 'ignore' });
  await new Promise((resolve) => child?.once('spawn', resolve));
  const identity = identifyProcess(child.pid ?? 0);
  if (!identity) throw new Error('the child is gone');
  return identity;
}

function record(engine: ProcessIdentity, server: ProcessIdentity): void {
  writeFileSync(join(dir, 'engine.pid'), JSON.stringify({ engine, server }));
}

const DEAD: ProcessIdentity = { pid: 1, startTicks: '-1' };
const log = () => ControlLog.open({ mask: 'DISABLED' });

describe('an engine of an earlier server', () => {
  it('is killed when it does not end by itself', async () => {
    const engine = await orphan('daos_engine');
    record(engine, DEAD);
    await clearStaleEngine(dir, await log(), 200);
    expect(isSameProcess(engine)).toBe(false);
  });

  it('is left alone when its server lives: the storage is in use', async () => {
    const engine = await orphan('daos_engine');
    const server = identifyProcess(process.ppid);
    record(engine, server ?? DEAD);
    await expect(clearStaleEngine(dir, await log(), 200)).rejects.toThrow(/in use by another daos_server/);
    expect(isSameProcess(engine)).toBe(true);
  });

  it('is nothing else: neither a process that reuses the pid nor one of another program', async () => {
    const other = await orphan('something_else');
    record(other, DEAD);
    await clearStaleEngine(dir, await log(), 200);
    record({ ...other, startTicks: '1' }, DEAD);
    await clearStaleEngine(dir, await log(), 200);
    writeFileSync(join(dir, 'engine.pid'), '{"engine":');
    await clearStaleEngine(dir, await log(), 200);
    expect(isSameProcess(other)).toBe(true);
  });
});

describe('server lock', () => {
  it('is taken once, and taken over from a server that died', () => {
    const lock = ServerLock.take(dir);
    expect(() => ServerLock.take(dir)).toThrow(new RegExp(`already running \\(pid: ${process.pid}\\)`));
    lock.release();
    writeFileSync(join(dir, 'daos_server.pid'), JSON.stringify({ pid: process.pid, startTicks: '1' }));
    ServerLock.take(dir).release();
    writeFileSync(join(dir, 'daos_server.pid'), '');
    ServerLock.take(dir).release();
  });
});
