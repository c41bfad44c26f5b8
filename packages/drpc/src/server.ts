import { lstatSync, unlinkSync } from 'node:fs';

import { DaosError } from '@daos/common';
import { RateLimit, getLogger } from '@daos/gurt';
import { SeqPacketServer, SeqPacketSocket } from '@daos/native';

import { DrpcRegistry, type DrpcHandler } from './registry.js';
import { Session } from './session.js';
import { socketError } from './socket_error.js';

const log = getLogger('drpc');

/** Requests are small: attach info, credentials, pool operations with their ACLs. */
export const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
/** Connections held at once; more are closed at once, and their clients see an error. */
export const SESSIONS_MAX = 4096;
const DRAIN_MS = 5_000;
const LOG_INTERVAL_MS = 60_000;

export interface DrpcServerOptions {
  /** Permissions of the socket file. Default 0600. */
  readonly mode?: number;
  readonly registry?: DrpcRegistry;
  readonly requestBytesMax?: number;
}

/** Serves dRPC at a path of the file system. Connections are served concurrently, each one call at a time. */
export class DrpcServer {
  private readonly sessions = new Set<Session>();
  private readonly complaints = new RateLimit(LOG_INTERVAL_MS);
  private readonly listener: SeqPacketServer;
  private readonly inode: number;
  private closed = false;

  private constructor(
    readonly path: string,
    private readonly registry: DrpcRegistry,
    private readonly requestBytesMax: number,
    mode: number,
  ) {
    this.listener = SeqPacketServer.listen(path, {
      mode,
      connection: (socket) => this.accept(socket),
      failed: (error) => this.complain('accept', `cannot accept a connection at ${path}: ${error.message}`),
    });
    this.inode = lstatSync(path).ino;
  }

  /**
   * Listens. A socket file that nobody serves any more is replaced. Throws DER_BUSY when somebody listens there,
   * DER_EXIST when the path is something else than a socket, DER_INVAL for a path longer than 107 bytes,
   * DER_NONEXIST without its folder, DER_NO_PERM.
   */
  static listen(path: string, options: DrpcServerOptions = {}): DrpcServer {
    try {
      removeStale(path);
      const { mode = 0o600, registry = new DrpcRegistry(), requestBytesMax = REQUEST_BYTES_MAX } = options;
      return new DrpcServer(path, registry, requestBytesMax, mode);
    } catch (error) {
      throw socketError(error, path, 'listen');
    }
  }

  /** See `DrpcRegistry.register`. */
  register(module: number, handler: DrpcHandler): void {
    this.registry.register(module, handler);
  }

  /** Stops listening, waits for running calls (at most 5 s), closes all connections, removes the socket file. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.listener.close();
    this.removeFile();
    const running = [...this.sessions].map((session) => session.activity ?? Promise.resolve());
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
    await Promise.race([Promise.allSettled(running), limit]);
    clearTimeout(timer);
    for (const session of [...this.sessions]) session.close();
  }

  private accept(socket: SeqPacketSocket): void {
    if (this.sessions.size >= SESSIONS_MAX) {
      this.complain('full', `${SESSIONS_MAX} connections at ${this.path}; a new one is refused`);
      socket.close();
      return;
    }
    const session = new Session(socket, {
      registry: this.registry,
      requestBytesMax: this.requestBytesMax,
      broken: ({ peer }, error) => {
        this.complain(`${peer.pid}`, `process ${peer.pid} of user ${peer.uid} sent what is no dRPC: ${error.detail}`);
      },
      ended: (ended) => this.sessions.delete(ended),
    });
    this.sessions.add(session);
  }

  private complain(key: string, text: string): void {
    this.complaints.run(key, (suppressed) => {
      log.error(suppressed > 0 ? `${text} (and ${suppressed} times before)` : text);
    });
  }

  /** Another process may have replaced the file meanwhile. */
  private removeFile(): void {
    try {
      if (lstatSync(this.path).ino === this.inode) unlinkSync(this.path);
    } catch {
      // already gone
    }
  }
}

/** Removes the socket file of a server that is gone. */
function removeStale(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isSocket()) throw new DaosError('EXIST', `cannot listen at ${path}: it exists and is not a socket`);
  try {
    SeqPacketSocket.connect(path)?.close();
  } catch (error) {
    if ((error as { code?: string }).code !== 'ECONNREFUSED') throw error;
    unlinkSync(path);
    return;
  }
  throw new DaosError('BUSY', `cannot listen at ${path}: the socket file is in use by another process`);
}
