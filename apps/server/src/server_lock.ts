import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { Fault } from '@daos/control';
import { z } from 'zod';

import { identifyProcess, isSameProcess, type ProcessIdentity } from './harness/process_identity.js';

const TRIES_MAX = 5;
const identitySchema = z.object({ pid: z.int().positive(), startTicks: z.string() });

/** Keeps a second daos_server from running with the same sockets. The file of a server that died counts for nothing. */
export class ServerLock {
  private constructor(private readonly path: string) {}

  /** Throws a fault that names the other process. */
  static take(socketDir: string): ServerLock {
    const path = join(socketDir, 'daos_server.pid');
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      if (tryCreate(path)) return new ServerLock(path);
      const holder = readHolder(path);
      if (holder && isSameProcess(holder)) {
        throw new Fault({
          domain: 'server',
          code: 600,
          description:
            `another daos_server process is already running (pid: ${holder.pid}) with socket_dir ${socketDir}`,
          resolution: 'stop it first, or configure another socket_dir, port and storage',
        });
      }
      rmSync(path, { force: true });
    }
    throw new Error(`cannot take ${path}: other processes keep taking it`);
  }

  release(): void {
    const holder = readHolder(this.path);
    if (holder?.pid === process.pid) rmSync(this.path, { force: true });
  }
}

function tryCreate(path: string): boolean {
  const own = identifyProcess(process.pid);
  try {
    const file = openSync(path, 'wx', 0o644);
    writeSync(file, JSON.stringify(own));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return identitySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Half written by a process that died there, or gone meanwhile.
    return undefined;
  }
}
