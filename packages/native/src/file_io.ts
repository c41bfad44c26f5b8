import { addon } from './addon.js';

/** Bytes for one place of a file: `buffers` back to back from `offset`. */
export interface FileRun {
  readonly offset: number;
  readonly buffers: readonly Uint8Array[];
}

/** Fills `into` from `offset` on a helper thread; resolves with the bytes read before the end of the file. */
export function fileRead(fd: number, offset: number, into: Uint8Array): Promise<number> {
  return addon().read(fd, offset, into);
}

/**
 * Fills `into` at once when the bytes are in the page cache; returns how many there were (fewer when only the first
 * part is cached or the file ends), -1 when none could be had without waiting.
 */
export function fileReadNow(fd: number, offset: number, into: Uint8Array): number {
  return addon().readNow(fd, offset, into);
}

/**
 * Writes all runs in order on one helper thread, then flushes the file's data when `sync` is set: one hop for a whole
 * batch. The buffers must not change before the promise settles.
 */
export async function fileWrite(fd: number, runs: readonly FileRun[], sync: boolean): Promise<void> {
  const { offsets, counts, buffers } = flattenRuns(runs);
  await addon().write(fd, offsets, counts, buffers, sync);
}

/** Runs as the addon takes them: run i starts at `offsets[i]` and holds the next `counts[i]` buffers. */
export function flattenRuns(runs: readonly FileRun[]): { offsets: number[]; counts: number[]; buffers: Uint8Array[] } {
  const offsets: number[] = [];
  const counts: number[] = [];
  const buffers: Uint8Array[] = [];
  for (const run of runs) {
    offsets.push(run.offset);
    counts.push(run.buffers.length);
    for (const buffer of run.buffers) buffers.push(buffer);
  }
  return { offsets, counts, buffers };
}

/**
 * Gives a range of a regular file its blocks, on a helper thread, without changing what it reads as or its size. Throws
 * EOPNOTSUPP where the file system cannot, ENOSPC when there are too few.
 */
export async function fileAllocate(fd: number, offset: number, length: number): Promise<void> {
  await addon().allocate(fd, offset, length);
}

/** Bytes of a file or of a block device. */
export function fileSize(fd: number): number {
  return addon().size(fd);
}

/** A buffer of `bytes` bytes, not zeroed, whose address is a multiple of `alignment`: what O_DIRECT asks for. */
export function alignedBuffer(bytes: number, alignment: number): Uint8Array {
  const space = new Uint8Array(Buffer.allocUnsafeSlow(bytes + alignment).buffer);
  const remainder = addon().remainder(space, alignment);
  const start = remainder === 0 ? 0 : alignment - remainder;
  return space.subarray(start, start + bytes);
}

/** Whether a buffer starts at a multiple of `alignment`. */
export function isAligned(buffer: Uint8Array, alignment: number): boolean {
  return addon().remainder(buffer, alignment) === 0;
}
