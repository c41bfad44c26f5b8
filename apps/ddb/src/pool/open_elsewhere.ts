import { readdir, readlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/**
 * Number of another process that has a file in a folder open, as far as this user may see; undefined when there is
 * none. Only where the kernel shows open files in /proc.
 */
export async function openElsewhere(folder: string): Promise<number | undefined> {
  const prefix = `${resolve(folder)}/`;
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const fds = join('/proc', name, 'fd');
    // processes of others, and those that ended meanwhile, show nothing
    for (const fd of await readdir(fds).catch(() => [])) {
      const target = await readlink(join(fds, fd)).catch(() => '');
      if (target.startsWith(prefix)) return pid;
    }
  }
  return undefined;
}
