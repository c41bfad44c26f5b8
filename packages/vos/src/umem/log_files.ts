import { close, constants, fdatasync, fstat, ftruncate, open, read, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';

import { DaosError } from '@daos/common';

const openFd = promisify(open);
const closeFd = promisify(close);
const statFd = promisify(fstat);
const syncFd = promisify(fdatasync);
const truncateFd = promisify(ftruncate);

/** One file of a log. Every failure is a DaosError: DER_NOSPACE when the disk is full, else DER_NVME_IO. */
export interface LogFile {
  /** Bytes of the file now. */
  size(): Promise<number>;
  /** Fills `into` from byte `at` on; resolves with the bytes that there were before the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes the first `bytes` bytes of `from`; they are durable after a `sync` that begins afterwards. */
  write(from: Uint8Array, bytes: number, at: number): Promise<void>;
  /** As `write`, and durable when it resolves. Several may be under way; they become durable in any order. */
  writeDurably(from: Uint8Array, bytes: number, at: number): Promise<void>;
  /** As `write`, in this turn. */
  writeNow(from: Uint8Array, bytes: number, at: number): void;
  /** Resolves when what was written before is durable. */
  sync(): Promise<void>;
  /** Cuts the file off. */
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Where log files live: the one way of a log to its disk, so that tests can give it a disk that fails. */
export interface LogFiles {
  /** Makes an empty file, in the place of an older one. */
  create(path: string): Promise<LogFile>;
  /** Opens a file that is there; DER_DF_INVAL when it is not. */
  open(path: string): Promise<LogFile>;
}

/** Files of this machine. */
export const NODE_LOG_FILES: LogFiles = {
  create: (path) => NodeLogFile.open(path, constants.O_CREAT | constants.O_TRUNC),
  open: async (path) => {
    try {
      return await NodeLogFile.open(path, 0);
    } catch (error) {
      throw new DaosError('DF_INVAL', `the log cannot be opened: ${(error as Error).message}`, { cause: error });
    }
  },
};

/**
 * Two descriptors of one file: what goes through the one is durable when the call returns (O_DSYNC: one system
 * call, one hop to a helper thread and back), what goes through the other is not.
 */
class NodeLogFile implements LogFile {
  private constructor(
    private readonly plain: number,
    private readonly durable: number,
  ) {}

  static async open(path: string, flags: number): Promise<NodeLogFile> {
    const plain = await openFd(path, constants.O_RDWR | flags, 0o600);
    try {
      return new NodeLogFile(plain, await openFd(path, constants.O_RDWR | constants.O_DSYNC));
    } catch (error) {
      await closeFd(plain);
      throw error;
    }
  }

  async size(): Promise<number> {
    const { size } = await asked(statFd(this.plain));
    return size;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const step = (done: number): void => {
        read(this.plain, into, done, into.length - done, at + done, (error, count) => {
          if (error) reject(logError(error));
          else if (count > 0 && done + count < into.length) step(done + count);
          else resolve(done + count);
        });
      };
      step(0);
    });
  }

  write(from: Uint8Array, bytes: number, at: number): Promise<void> {
    return writeAll(this.plain, from, bytes, at);
  }

  writeDurably(from: Uint8Array, bytes: number, at: number): Promise<void> {
    return writeAll(this.durable, from, bytes, at);
  }

  writeNow(from: Uint8Array, bytes: number, at: number): void {
    try {
      for (let done = 0; done < bytes; ) done += writeSync(this.plain, from, done, bytes - done, at + done);
    } catch (error) {
      throw logError(error as NodeJS.ErrnoException);
    }
  }

  sync(): Promise<void> {
    return asked(syncFd(this.plain));
  }

  truncate(bytes: number): Promise<void> {
    return asked(truncateFd(this.plain, bytes));
  }

  async close(): Promise<void> {
    await closeFd(this.plain);
    await closeFd(this.durable);
  }
}

function asked<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: NodeJS.ErrnoException) => {
    throw logError(error);
  });
}

function logError(error: NodeJS.ErrnoException): DaosError {
  return new DaosError(error.code === 'ENOSPC' ? 'NOSPACE' : 'NVME_IO', `log: ${error.message}`, { cause: error });
}

function writeAll(fd: number, from: Uint8Array, bytes: number, at: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (done: number): void => {
      write(fd, from, done, bytes - done, at + done, (error, written) => {
        if (error) reject(logError(error));
        else if (done + written < bytes) step(done + written);
        else resolve();
      });
    };
    step(0);
  });
}
