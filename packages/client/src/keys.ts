import { DaosError } from '@daos/common';

import type { Key, Tx } from './types.js';

/** Bytes of a key: text is UTF-8. */
export function keyBytes(key: Key): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key) : key;
}

/** An integer key: 8 bytes, little-endian. */
export function integerKey(value: bigint | number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64LE(BigInt(value));
  return key;
}

/** Value of an integer key. */
export function integerKeyValue(key: Uint8Array): bigint {
  if (key.length !== 8) throw new DaosError('INVAL', `an integer key has 8 bytes, got ${key.length}`);
  return new DataView(key.buffer, key.byteOffset, 8).getBigUint64(0, true);
}

/** Transactions are a later capability. */
export function noTx(tx: Tx | undefined): void {
  if (tx !== undefined) throw new DaosError('NOSYS', 'transactions are not available yet');
}
