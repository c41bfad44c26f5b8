import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';

import { DaosError } from '@daos/common';

/** Who has a shard open: one line of JSON in its folder. */
interface Owner {
  readonly pid: number;
  /** When the process started, in ticks since the boot; with the boot's id, no other process has the same. */
  readonly started: string;
  readonly boot: string;
  /** Inode of the folder: a lock in a copy of it holds nothing. */
  readonly inode: string;
  readonly nonce: string;
}

/** Takeovers of locks left behind that may be tried: others try the same at the same time. */
const TRIES_MAX = 8;

/**
 * Keeps other processes out of a shard. The lock is a file that appears whole or not at all, and names its owner; one
 * whose owner has ended, however it ended, holds nothing and is replaced. Threads of one process do not keep each other
 * out: they know their shards. Returns what gives the lock back. DER_BUSY, with the owner's process id.
 */
export async function lockShard(dir: string, path: string): Promise<() => Promise<void>> {
  const owner = await self(dir);
  const own = `${path}.${owner.nonce}`;
  await writeFile(own, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  try {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (await isLinked(own, path)) return () => unlock(path, owner);
      await removeStale(dir, path, owner);
    }
  } finally {
    await rm(own, { force: true });
  }
  throw new DaosError('BUSY', `${dir}: others open it at the same time`);
}

/** DER_BUSY when another process has the shard open. */
export async function checkUnlocked(dir: string, path: string): Promise<void> {
  const owner = await readOwner(path);
  if (owner && owner !== 'damaged') await checkStale(dir, owner);
}

async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new DaosError('IO', `the lock ${to} cannot be made: ${(error as Error).message}`, { cause: error });
  }
}

async function removeStale(dir: string, path: string, { nonce }: Owner): Promise<void> {
  const seen = await readOwner(path);
  if (!seen) return;
  if (seen !== 'damaged') await checkStale(dir, seen);
  const aside = `${path}.${nonce}.old`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new DaosError('IO', `the lock ${path} that was left cannot be removed: ${(error as Error).message}`, { cause: error });
  }
  const moved = await readOwner(aside);
  // somebody was faster, and this is his lock: give it back
  if (moved && moved !== 'damaged' && (seen === 'damaged' || moved.nonce !== seen.nonce)) await isLinked(aside, path);
  await rm(aside, { force: true });
}

async function checkStale(dir: string, owner: Owner): Promise<void> {
  const { pid, started, boot, inode } = owner;
  if (pid === process.pid || inode !== (await inodeOf(dir)) || boot !== (await bootId())) return;
  if ((await startOf(pid)) !== started) return;
  throw new DaosError('BUSY', `${dir} is open in process ${pid}`);
}

async function unlock(path: string, { nonce }: Owner): Promise<void> {
  const owner = await readOwner(path);
  if (owner && owner !== 'damaged' && owner.nonce === nonce) await rm(path, { force: true });
}

/**
 * Undefined: there is no lock. `damaged`: a file that nobody who makes locks has left so. DER_IO when it cannot be read,
 * which says nothing about who holds it.
 */
async function readOwner(path: string): Promise<Owner | 'damaged' | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DaosError('IO', `the lock ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return ownerIn(text) ?? 'damaged';
}

function ownerIn(text: string): Owner | undefined {
  let owner: Partial<Owner>;
  try {
    owner = JSON.parse(text) as Partial<Owner>;
  } catch {
    return undefined;
  }
  const { pid, started, boot, inode, nonce } = owner;
  if (typeof pid !== 'number' || typeof started !== 'string' || typeof boot !== 'string') return undefined;
  if (typeof inode !== 'string' || typeof nonce !== 'string') return undefined;
  return { pid, started, boot, inode, nonce };
}

async function self(dir: string): Promise<Owner> {
  const started = await startOf(process.pid);
  return { pid: process.pid, started: started ?? '', boot: await bootId(), inode: await inodeOf(dir), nonce: randomBytes(8).toString('hex') };
}

async function inodeOf(dir: string): Promise<string> {
  const { dev, ino } = await stat(dir, { bigint: true });
  return `${dev}:${ino}`;
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

/** Start of a process; '' where the kernel does not tell, undefined when there is no such process. */
async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // behind the name, which may hold anything, in parentheses: state is field 3, the start field 22
  if (line !== undefined) return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined;
  }
}
