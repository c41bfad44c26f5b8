import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Counts of a folder on the local file system. */
export interface TreeSize {
  readonly files: number;
  readonly folders: number;
  readonly symlinks: number;
  readonly bytes: number;
}

/** One line that describes an entry completely: kind, mode, path, and content digest or link target. */
async function* treeEntries(root: string, folder = ''): AsyncGenerator<string> {
  const names = (await readdir(join(root, folder))).sort();
  for (const name of names) {
    const path = join(folder, name);
    const full = join(root, path);
    const info = await lstat(full);
    const mode = (info.mode & 0o7777).toString(8);
    if (info.isSymbolicLink()) yield `link ${path} -> ${await readlink(full)}`;
    else if (info.isDirectory()) {
      yield `dir ${mode} ${path}`;
      yield* treeEntries(root, path);
    } else if (info.isFile()) yield `file ${mode} ${path} ${info.size} ${await digest(full)}`;
    else yield `special ${path}`;
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Differences between two trees in names, modes, symlink targets and contents; at most `limit` of them. */
export async function compareTrees(a: string, b: string, limit = 10): Promise<string[]> {
  const left = treeEntries(a);
  const right = treeEntries(b);
  const differences: string[] = [];
  while (differences.length < limit) {
    const [l, r] = await Promise.all([left.next(), right.next()]);
    if (l.done && r.done) break;
    if (l.value !== r.value) {
      differences.push(`- ${l.done ? '(end)' : l.value}\n+ ${r.done ? '(end)' : r.value}`);
      if (l.done !== r.done) break;
    }
  }
  return differences;
}

export async function treeSize(folder: string): Promise<TreeSize> {
  const total = { files: 0, folders: 0, symlinks: 0, bytes: 0 };
  const pending = [folder];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) {
        total.folders++;
        pending.push(path);
      } else if (entry.isSymbolicLink()) total.symlinks++;
      else {
        total.files++;
        total.bytes += (await lstat(path)).size;
      }
    }
  }
  return total;
}
