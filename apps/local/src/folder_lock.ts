import { mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/**
 * Holds a folder for one system. The lock is a listening Unix socket: the kernel drops it with the process, however
 * that ends, so a crash never leaves a folder locked.
 */
export class FolderLock {
  private constructor(private readonly server: Server) {}

  /** Takes the lock, or throws when another running system has it. */
  static async take(runDir: string, folder: string): Promise<FolderLock> {
    mkdirSync(runDir, { recursive: true });
    const path = join(runDir, 'local.sock');
    if (await answers(path)) throw new Error(`a DAOS system is already running in ${folder}; stop it first, or give another folder with --dir`);
    try {
      unlinkSync(path);
    } catch {
      // There was none.
    }
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    return new FolderLock(server);
  }

  release(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
