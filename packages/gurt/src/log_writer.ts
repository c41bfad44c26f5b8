import { closeSync, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/** Where finished log lines go. */
export interface LogWriter {
  write(line: string): void;
  close(): void;
}

/** How many bytes are written before the file's size is looked at again. */
const SIZE_CHECK_BYTES = 64 * 1024;
const RETRIES_MAX = 100;

/** Writes to an open descriptor, waiting briefly while a pipe is full; a line that still does not fit is dropped. */
function writeAll(fd: number, line: string): void {
  let rest = Buffer.from(line);
  for (let attempt = 0; rest.length > 0 && attempt < RETRIES_MAX; attempt++) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

export function stderrWriter(): LogWriter {
  return { write: (line) => writeAll(2, line), close: () => undefined };
}

/**
 * Appends to a file, renaming it to `<file>.old` at `sizeMax` bytes. Several threads and processes may append to the
 * same file: each notices that another one rotated it.
 */
export function fileWriter(path: string, sizeMax: number): LogWriter {
  let fd = openSync(path, 'a', 0o664);
  let unchecked = 0;
  const reopen = (): void => {
    closeSync(fd);
    fd = openSync(path, 'a', 0o664);
  };
  const rotate = (): void => {
    unchecked = 0;
    const mine = fstatSync(fd);
    const there = statSync(path, { throwIfNoEntry: false });
    if (there === undefined || there.ino !== mine.ino) return reopen();
    if (there.size < sizeMax) return undefined;
    renameSync(path, `${path}.old`);
    return reopen();
  };
  return {
    write(line) {
      writeAll(fd, line);
      unchecked += line.length;
      if (unchecked >= Math.min(SIZE_CHECK_BYTES, sizeMax)) rotate();
    },
    close: () => closeSync(fd),
  };
}

/** Size with DAOS's suffixes: k m g decimal, K M G binary; undefined when it is not a size. */
export function parseLogSize(text: string): number | undefined {
  const match = /^(\d+)([kmgKMG]?)$/.exec(text.trim());
  if (!match?.[1]) return undefined;
  const factor = { '': 1, k: 1e3, m: 1e6, g: 1e9, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[match[2] ?? ''] ?? 1;
  return Number(match[1]) * factor;
}
