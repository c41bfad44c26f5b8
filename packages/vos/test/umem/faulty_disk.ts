import { DaosError } from '@daos/common';
import type { Random } from '@daos/gurt';

import type { LogFile, LogFiles } from '../../src/umem/log_files.js';

const SECTOR_BYTES = 512;

/** A write that the disk may lose, in whole or by the sector, until something makes it durable. */
interface Pending {
  readonly at: number;
  readonly bytes: Buffer;
  /** The call has ended: what is written to the same place from now on lands on top of it. */
  hasEnded: boolean;
}

/** What is asked of the disk: counted, so that a fault can be put at any of them. */
export type DiskCall = 'write' | 'sync' | 'read';

/**
 * Files in memory with the habits of a disk. What was not made durable is lost in a crash, or there in part: each
 * 512-byte sector of each write for itself, which also reorders them. Calls take a random number of turns, so that
 * several under way end in any order; `faults` lets them fail or stall.
 */
export class FaultyDisk implements LogFiles {
  private readonly contents = new Map<string, { durable: Buffer; pending: Pending[] }>();
  private life = 0;
  /** Asked before each call; the result is thrown, or waited for. */
  fault: (call: DiskCall, path: string) => Error | Promise<void> | undefined = () => undefined;

  /** Told of each read's size. */
  onRead: (bytes: number) => void = () => undefined;

  constructor(
    private readonly random: Random,
    /** Calls take up to so many turns of the event loop. */
    private readonly turnsMax = 4,
  ) {}

  create(path: string): Promise<LogFile> {
    this.contents.set(path, { durable: Buffer.alloc(0), pending: [] });
    return this.open(path);
  }

  open(path: string): Promise<LogFile> {
    if (!this.contents.has(path)) return Promise.reject(new DaosError('DF_INVAL', `${path} is missing`));
    return Promise.resolve(new FaultyFile(this, path, this.life));
  }

  /** Everything under way stays so for ever; files hold what the crash left of them. */
  crash(): void {
    this.life++;
    for (const content of this.contents.values()) {
      for (const { at, bytes } of content.pending) {
        const fate = this.random.below(3);
        for (let from = 0; from < bytes.length; from += SECTOR_BYTES) {
          if (fate === 0 || (fate === 1 && this.random.below(2) === 0)) continue;
          content.durable = place(content.durable, at + from, bytes.subarray(from, from + SECTOR_BYTES));
        }
      }
      content.pending = [];
    }
  }

  /** Changes with every crash. */
  get currentLife(): number {
    return this.life;
  }

  /** What a read finds now, outside of all faults. Lent. */
  bytes(path: string): Buffer {
    const { durable, pending } = this.content(path);
    if (pending.length === 0) return durable;
    return pending.reduce<Buffer>((seen, { at, bytes }) => place(seen, at, bytes), Buffer.from(durable));
  }

  /** Changes the durable bytes of a file from outside. */
  overwrite(path: string, at: number, bytes: Uint8Array): void {
    const content = this.content(path);
    content.durable = place(content.durable, at, bytes);
  }

  content(path: string): { durable: Buffer; pending: Pending[] } {
    const content = this.contents.get(path);
    if (!content) throw new Error(`${path} is missing`);
    return content;
  }

  /** Resolves after some turns, when the call's fault is over, and never when there was a crash meanwhile. */
  async take(call: DiskCall, path: string, life: number): Promise<void> {
    if (life !== this.life) return never();
    const fault = this.fault(call, path);
    if (fault instanceof Error) throw fault;
    await fault;
    for (let turns = this.random.below(this.turnsMax + 1); turns > 0; turns--) await turn();
    if (life !== this.life) return never();
  }

  isAlive(life: number): boolean {
    return life === this.life;
  }
}

class FaultyFile implements LogFile {
  constructor(
    private readonly disk: FaultyDisk,
    private readonly path: string,
    private readonly life: number,
  ) {}

  async size(): Promise<number> {
    await this.disk.take('read', this.path, this.life);
    return this.disk.bytes(this.path).length;
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    await this.disk.take('read', this.path, this.life);
    this.disk.onRead(into.length);
    const found = this.disk.bytes(this.path).subarray(at, at + into.length);
    into.set(found);
    return found.length;
  }

  async write(from: Uint8Array, bytes: number, at: number): Promise<void> {
    await this.end(this.remember(from, bytes, at));
  }

  async writeDurably(from: Uint8Array, bytes: number, at: number): Promise<void> {
    const pending = this.remember(from, bytes, at);
    await this.end(pending);
    this.harden([pending]);
    // durable, but nobody knows it yet
    await this.disk.take('sync', this.path, this.life);
  }

  writeNow(from: Uint8Array, bytes: number, at: number): void {
    const fault = this.disk.fault('write', this.path);
    if (fault instanceof Error) throw fault;
    this.remember(from, bytes, at).hasEnded = true;
  }

  async sync(): Promise<void> {
    const covered = [...this.disk.content(this.path).pending];
    await this.disk.take('sync', this.path, this.life);
    this.harden(covered);
    await this.disk.take('sync', this.path, this.life);
  }

  truncate(bytes: number): Promise<void> {
    const content = this.disk.content(this.path);
    content.durable = content.durable.subarray(0, bytes);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async end(pending: Pending): Promise<void> {
    try {
      await this.disk.take('write', this.path, this.life);
    } finally {
      pending.hasEnded = true;
    }
  }

  private remember(from: Uint8Array, bytes: number, at: number): Pending {
    const pending: Pending = { at, bytes: Buffer.from(from.subarray(0, bytes)), hasEnded: false };
    for (const older of this.disk.content(this.path).pending) if (older.hasEnded) layOver(older, pending);
    if (this.disk.isAlive(this.life)) this.disk.content(this.path).pending.push(pending);
    return pending;
  }

  private harden(covered: readonly Pending[]): void {
    const content = this.disk.content(this.path);
    for (const { at, bytes } of content.pending.filter((pending) => covered.includes(pending))) {
      content.durable = place(content.durable, at, bytes);
    }
    content.pending = content.pending.filter((pending) => !covered.includes(pending));
  }
}

/** A page has one content: an older write that is flushed late carries what was written over it. */
function layOver(older: Pending, newer: Pending): void {
  const from = Math.max(older.at, newer.at);
  const to = Math.min(older.at + older.bytes.length, newer.at + newer.bytes.length);
  if (from < to) older.bytes.set(newer.bytes.subarray(from - newer.at, to - newer.at), from - older.at);
}

/** `content` with `bytes` at a place; longer when needed. */
function place(content: Buffer, at: number, bytes: Uint8Array): Buffer {
  const end = at + bytes.length;
  const grown = end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : content;
  grown.set(bytes, at);
  return grown;
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
