import { DfsError } from './error.js';
import { NAME_BYTES_MAX, PATH_BYTES_MAX } from './layout.js';

/** A name or path: text (UTF-8) or raw bytes. */
export type PathLike = string | Uint8Array;

const SLASH = 0x2f;

/** Bytes of one entry name. EINVAL for an empty or too long one, or one with `/` or NUL; ENOTSUP for `.` and `..`. */
export function nameBytes(name: PathLike, syscall: string): Buffer {
  const bytes = toBytes(name);
  if (bytes.length === 0 || bytes.length > NAME_BYTES_MAX || bytes.includes(SLASH) || bytes.includes(0)) {
    throw new DfsError('EINVAL', syscall, pathText(name), `a name has 1 to ${NAME_BYTES_MAX} bytes without "/" and NUL`);
  }
  const text = bytes.toString('latin1');
  if (text === '.' || text === '..') throw new DfsError('ENOTSUP', syscall, pathText(name), 'not a name of an entry');
  return bytes;
}

/** Components of an absolute path. EINVAL when it does not start with `/` or is too long. */
export function pathComponents(path: PathLike, syscall: string): Buffer[] {
  const bytes = toBytes(path);
  if (bytes[0] !== SLASH) throw new DfsError('EINVAL', syscall, pathText(path), 'a path starts with "/"');
  if (bytes.length > PATH_BYTES_MAX) throw new DfsError('EINVAL', syscall, pathText(path), `a path has at most ${PATH_BYTES_MAX} bytes`);
  return splitComponents(bytes);
}

/** Parts between slashes, without the empty ones and `.`. */
export function splitComponents(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const slash = bytes.indexOf(SLASH, start);
    const end = slash < 0 ? bytes.length : slash;
    const part = bytes.subarray(start, end);
    if (part.length > 0 && !(part.length === 1 && part[0] === 0x2e)) parts.push(part);
    start = end + 1;
  }
  return parts;
}

export function isDotDot(part: Buffer): boolean {
  return part.length === 2 && part[0] === 0x2e && part[1] === 0x2e;
}

export function pathText(path: PathLike): string {
  return typeof path === 'string' ? path : toBytes(path).toString();
}

export function toBytes(text: PathLike): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
}
