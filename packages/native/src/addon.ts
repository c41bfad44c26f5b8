import { createRequire } from 'node:module';

/** What the C++ half exports. Offsets and lengths are bytes; -1 means "would have to wait". */
interface Addon {
  crc32c(data: Uint8Array, seed?: number): number;
  crc32cChunks(data: Uint8Array, firstBytes: number, chunkBytes: number, out: Uint32Array): number;
  readonly crc32cImplementation: string;
  digestUpdate(type: number, state: Int32Array, data: Uint8Array): void;
  read(fd: number, offset: number, into: Uint8Array): Promise<number>;
  readNow(fd: number, offset: number, into: Uint8Array): number;
  write(
    fd: number,
    offsets: readonly number[],
    counts: readonly number[],
    buffers: readonly Uint8Array[],
    sync: boolean,
  ): Promise<number>;
  allocate(fd: number, offset: number, length: number): Promise<number>;
  size(fd: number): number;
  remainder(buffer: Uint8Array, alignment: number): number;
  uringOpen(): UringHandle;
  uringRead(ring: UringHandle, fd: number, offset: number, into: Uint8Array): Promise<number>;
  uringWrite(
    ring: UringHandle,
    fd: number,
    offsets: readonly number[],
    counts: readonly number[],
    buffers: readonly Uint8Array[],
    sync: boolean,
    inOrder: boolean,
  ): Promise<number>;
  seqListen(path: string, mode: number, backlog: number): number;
  seqConnect(path: string): number;
  seqAccept(fd: number): number;
  seqReceive(fd: number, into: Uint8Array): number;
  seqSend(fd: number, parts: readonly Uint8Array[]): number;
  peerCredentials(fd: number): PeerCredentials;
  closeFd(fd: number): void;
  userNames(uid: number, gid: number): Promise<UserNames>;
  watch(fd: number, callback: (ready: number) => void): WatcherHandle;
  watchSet(handle: WatcherHandle, events: number): void;
  watchClose(handle: WatcherHandle): void;
  watchRef(handle: WatcherHandle, keepsAlive: boolean): void;
}

/** Opaque. */
export interface WatcherHandle {
  readonly _watcher: never;
}

/** Opaque. */
export interface UringHandle {
  readonly _uring: never;
}

/** The process at the other end of a Unix socket, as the kernel recorded it when it connected. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What the system's databases say of a user; a name is absent when they do not know it. */
export interface UserNames {
  readonly user?: string;
  /** Name of the given (primary) group. */
  readonly group?: string;
  /** The user's other groups; those without a name are left out. */
  readonly groups: readonly string[];
}

let loaded: Addon | undefined;

/** The addon, loaded at first use. Throws when it was never built. */
export function addon(): Addon {
  return (loaded ??= load());
}

function load(): Addon {
  try {
    return createRequire(import.meta.url)('@daos/native/addon') as Addon;
  } catch (error) {
    throw new Error(`the native addon is not built or does not load: run "npm run build" (${(error as Error).message})`, {
      cause: error,
    });
  }
}
