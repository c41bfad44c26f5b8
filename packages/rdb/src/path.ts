import { DaosError } from '@daos/common';

import { RDB_KEY_MAX, RDB_PATH_MAX } from './limits.js';

/** Order and key form of a KVS. Generic keys are any bytes; integer keys are `rdbIntegerKey`s; lexical keys any bytes. */
export type KvsClass = 'generic' | 'integer' | 'lexical';

/** A KVS: the keys that lead to it from the root KVS. The empty path is the root KVS itself. */
export type RdbPath = readonly Uint8Array[];

export const RDB_ROOT: RdbPath = [];

/** A string key: UTF-8 with a terminating NUL, so that no string key is the prefix of another. */
export function rdbStringKey(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'utf8');
}

/** An integer key: eight bytes, big-endian, so that byte order is numeric order. */
export function rdbIntegerKey(value: bigint): Uint8Array {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(value);
  return key;
}

/** Number of an integer key. */
export function rdbIntegerOf(key: Uint8Array): bigint {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readBigUInt64BE();
}

/** Throws DER_INVAL for an empty or over-long key, or one that is no integer in an integer KVS. */
export function checkKey(key: Uint8Array, kvsClass?: KvsClass): void {
  if (key.length === 0) throw new DaosError('INVAL', 'an RDB key must not be empty');
  if (key.length > RDB_KEY_MAX)
    throw new DaosError('INVAL', `an RDB key has at most ${RDB_KEY_MAX} bytes, got ${key.length}`);
  if (kvsClass === 'integer' && key.length !== 8) {
    throw new DaosError('INVAL', `a key of an integer KVS has 8 bytes, got ${key.length}`);
  }
}

/** Throws DER_INVAL when a path is too deep or holds a bad key. */
export function checkPath(path: RdbPath): void {
  if (path.length > RDB_PATH_MAX)
    throw new DaosError('INVAL', `an RDB path has at most ${RDB_PATH_MAX} keys, got ${path.length}`);
  for (const key of path) checkKey(key);
}

/** For messages: string keys as text, others in hex. */
export function pathToString(path: RdbPath, key?: Uint8Array): string {
  return '/' + [...path, ...(key ? [key] : [])].map(keyToString).join('/');
}

function keyToString(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const text = bytes.subarray(0, -1).toString('latin1');
  return bytes.at(-1) === 0 && /^[\x20-\x7e]+$/.test(text) ? text : bytes.toString('hex');
}
