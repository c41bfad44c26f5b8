import { DaosError } from '@daos/common';

import { RDB_ENTRY_MAX } from './limits.js';
import type { KvsClass, RdbPath } from './path.js';

/** One change of the database. Numbered as in DAOS. */
export const RdbOpcode = {
  CREATE_ROOT: 1,
  DESTROY_ROOT: 2,
  CREATE: 3,
  DESTROY: 4,
  UPDATE: 5,
  DELETE: 6,
} as const;
export type RdbOpcode = (typeof RdbOpcode)[keyof typeof RdbOpcode];

export type RdbOperation =
  | { readonly opcode: typeof RdbOpcode.CREATE_ROOT; readonly kvsClass: KvsClass }
  | { readonly opcode: typeof RdbOpcode.DESTROY_ROOT }
  | {
      readonly opcode: typeof RdbOpcode.CREATE;
      readonly path: RdbPath;
      readonly key: Uint8Array;
      readonly kvsClass: KvsClass;
    }
  | { readonly opcode: typeof RdbOpcode.DESTROY; readonly path: RdbPath; readonly key: Uint8Array }
  | {
      readonly opcode: typeof RdbOpcode.UPDATE;
      readonly path: RdbPath;
      readonly key: Uint8Array;
      readonly value: Uint8Array;
    }
  | { readonly opcode: typeof RdbOpcode.DELETE; readonly path: RdbPath; readonly key: Uint8Array };

/** What one log entry carries: the operations of one transaction. None at all: the first entry of a term. */
export interface RdbEntry {
  /** Critical entries may use the space that others must leave free. */
  readonly critical: boolean;
  readonly operations: readonly RdbOperation[];
}

const CLASSES: readonly KvsClass[] = ['generic', 'integer', 'lexical'];

/** Bytes of an entry: u32 critical, then per operation u8 opcode, path, key, value or class. Integers little-endian. */
export function entryEncode(entry: RdbEntry): Uint8Array {
  const parts: Uint8Array[] = [u32(entry.critical ? 1 : 0)];
  for (const op of entry.operations) {
    parts.push(Buffer.of(op.opcode));
    if (op.opcode === RdbOpcode.CREATE_ROOT) parts.push(Buffer.of(CLASSES.indexOf(op.kvsClass)));
    else if (op.opcode !== RdbOpcode.DESTROY_ROOT) {
      parts.push(Buffer.of(op.path.length));
      for (const key of op.path) parts.push(u32(key.length), key);
      parts.push(u32(op.key.length), op.key);
      if (op.opcode === RdbOpcode.UPDATE) parts.push(u32(op.value.length), op.value);
      if (op.opcode === RdbOpcode.CREATE) parts.push(Buffer.of(CLASSES.indexOf(op.kvsClass)));
    }
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length > RDB_ENTRY_MAX) {
    throw new DaosError(
      'OVERFLOW',
      `a transaction of ${bytes.length} bytes exceeds the limit of ${RDB_ENTRY_MAX}`,
    );
  }
  return bytes;
}

/** Inverse of `entryEncode`. Throws DER_PROTO for anything else; the result's keys and values are views. */
export function entryDecode(bytes: Uint8Array): RdbEntry {
  const reader = new EntryReader(bytes);
  const critical = reader.u32() !== 0;
  const operations: RdbOperation[] = [];
  while (!reader.atEnd()) operations.push(reader.operation());
  return { critical, operations };
}

class EntryReader {
  private at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  operation(): RdbOperation {
    const opcode = this.u8();
    switch (opcode) {
      case RdbOpcode.CREATE_ROOT:
        return { opcode, kvsClass: this.kvsClass() };
      case RdbOpcode.DESTROY_ROOT:
        return { opcode };
      case RdbOpcode.CREATE:
        return { opcode, path: this.path(), key: this.field(), kvsClass: this.kvsClass() };
      case RdbOpcode.UPDATE:
        return { opcode, path: this.path(), key: this.field(), value: this.field() };
      case RdbOpcode.DESTROY:
      case RdbOpcode.DELETE:
        return { opcode, path: this.path(), key: this.field() };
      default:
        throw new DaosError('PROTO', `RDB log entry has an unknown operation ${opcode}`);
    }
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  private u8(): number {
    return this.take(1).readUInt8();
  }

  private path(): RdbPath {
    return Array.from({ length: this.u8() }, () => this.field());
  }

  private field(): Uint8Array {
    return this.take(this.u32());
  }

  private kvsClass(): KvsClass {
    const kvsClass = CLASSES[this.u8()];
    if (!kvsClass) throw new DaosError('PROTO', 'RDB log entry names an unknown KVS class');
    return kvsClass;
  }

  private take(length: number): Buffer {
    if (length > this.bytes.length - this.at) throw new DaosError('PROTO', 'RDB log entry ends too early');
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
