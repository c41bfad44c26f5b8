import { readFileSync } from 'node:fs';

/** Entries of an access control list file: one per line; blank lines and comments are skipped. */
export function readAclFile(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`opening ACL file: open ${path}: ${fileFailure(error)}`, { cause: error });
  }
  const entries = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (entries.length === 0) throw new Error(`ACL file '${path}' contains no entries`);
  return entries;
}

/** The operating system's words for the commonest failures. */
export function fileFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    EEXIST: 'file exists',
    ENOTDIR: 'not a directory',
    EROFS: 'read-only file system',
    ENOSPC: 'no space left on device',
  };
  return words[code ?? ''] ?? code ?? String(error);
}
