import { DaosError } from '@daos/common';

import { RdbOpcode, type RdbEntry, type RdbOperation } from './entry.js';
import { checkKey, pathToString, type KvsClass, type RdbPath } from './path.js';

/**
 * The state machine of RDB: a tree of key-value stores in one flat ordered table.
 * Row key: id of the KVS (8 bytes, big-endian), then the key. Row value: a tag byte, then the value's bytes or the
 * child's class (1 byte) and id (8 bytes). The same entries in the same order give the same table on every replica.
 */
export interface KvsTable {
  /** A view that stays valid. */
  get(row: Uint8Array): Uint8Array | undefined;
  /** Rows in [start, end), ascending unless `reverse`, at most `limit`. */
  range(
    start: Uint8Array,
    end: Uint8Array,
    limit: number,
    reverse?: boolean,
  ): { key: Uint8Array; value: Uint8Array }[];
  put(row: Uint8Array, value: Uint8Array): void;
  remove(row: Uint8Array): void;
}

/** What the tree keeps beside its rows; part of the replicated state. */
export interface KvsTreeHead {
  /** Undefined while there is no root KVS. */
  readonly rootClass: KvsClass | undefined;
  readonly nextKvsId: bigint;
  /** Space that rows take, with a fixed overhead for each: the same number on every replica. */
  readonly usedBytes: number;
}

export const KVS_TREE_EMPTY: KvsTreeHead = { rootClass: undefined, nextKvsId: 2n, usedBytes: 0 };

interface Kvs {
  readonly id: bigint;
  readonly kvsClass: KvsClass;
}

const ROOT_ID = 1n;
const TAG_VALUE = 0;
const TAG_KVS = 1;
const ROW_OVERHEAD = 32;
const SCAN_PAGE = 256;
const CLASSES: readonly KvsClass[] = ['generic', 'integer', 'lexical'];

/** Reads of the tree as of now. */
export class KvsTreeView {
  constructor(
    protected readonly table: KvsTable,
    protected head: KvsTreeHead,
  ) {}

  /** Value of a key; undefined when there is none. DER_NONEXIST without the KVS; DER_MISMATCH when the key holds a KVS. */
  lookup(path: RdbPath, key: Uint8Array): Uint8Array | undefined {
    checkKey(key);
    const row = this.table.get(rowKey(this.resolve(path).id, key));
    return row && valueOf(row, path, key);
  }

  /** True when the KVS at this path exists. */
  exists(path: RdbPath): boolean {
    return this.tryResolve(path) !== undefined;
  }

  /** Up to `limit` entries after the given key (from the first one when absent), in key order. DER_NONEXIST without the KVS. */
  entries(
    path: RdbPath,
    after: Uint8Array | undefined,
    limit: number,
    reverse = false,
  ): { key: Uint8Array; value: Uint8Array | undefined }[] {
    const { id } = this.resolve(path);
    const start = !reverse && after ? successor(rowKey(id, after)) : rowKey(id);
    const end = reverse && after ? rowKey(id, after) : rowKey(id + 1n);
    return this.table.range(start, end, limit, reverse).map(({ key, value }) => ({
      key: key.subarray(8),
      value: value[0] === TAG_KVS ? undefined : value.subarray(1),
    }));
  }

  protected resolve(path: RdbPath): Kvs {
    const kvs = this.tryResolve(path);
    if (!kvs) throw new DaosError('NONEXIST', `RDB has no KVS ${pathToString(path)}`);
    return kvs;
  }

  protected tryResolve(path: RdbPath): Kvs | undefined {
    if (!this.head.rootClass) return undefined;
    let kvs: Kvs | undefined = { id: ROOT_ID, kvsClass: this.head.rootClass };
    for (const key of path) {
      const row: Uint8Array | undefined = this.table.get(rowKey(kvs.id, key));
      kvs = row && childOf(row);
      if (!kvs) return undefined;
    }
    return kvs;
  }
}

/**
 * Applies entries. An entry that fails leaves no trace: all its changes are staged in memory first and reach the table
 * only when every operation succeeded.
 */
export class KvsTree extends KvsTreeView {
  constructor(table: KvsTable, head: KvsTreeHead) {
    super(new StagedTable(table), head);
  }

  get current(): KvsTreeHead {
    return this.head;
  }

  /** The error is deterministic (NONEXIST, EXIST, MISMATCH, INVAL): every replica that applies the entry gets the same. */
  apply(entry: RdbEntry): DaosError | undefined {
    const before = this.head;
    const staged = this.table as StagedTable;
    try {
      for (const operation of entry.operations) this.run(operation);
    } catch (error) {
      staged.discard();
      this.head = before;
      if (error instanceof DaosError) return error;
      throw error;
    }
    staged.flush();
    return undefined;
  }

  private run(op: RdbOperation): void {
    switch (op.opcode) {
      case RdbOpcode.CREATE_ROOT:
        if (this.head.rootClass) throw new DaosError('EXIST', 'RDB has a root KVS already');
        this.head = { ...this.head, rootClass: op.kvsClass };
        return;
      case RdbOpcode.DESTROY_ROOT:
        this.clear(this.resolve([]), []);
        this.head = { ...this.head, rootClass: undefined };
        return;
      case RdbOpcode.CREATE:
        this.createKvs(op.path, op.key, op.kvsClass);
        return;
      case RdbOpcode.DESTROY:
        this.destroyKvs(op.path, op.key);
        return;
      case RdbOpcode.UPDATE:
        this.update(op.path, op.key, op.value);
        return;
      case RdbOpcode.DELETE:
        this.remove(op.path, op.key);
        return;
    }
  }

  private createKvs(path: RdbPath, key: Uint8Array, kvsClass: KvsClass): void {
    const row = this.rowOf(path, key);
    if (this.table.get(row)) throw new DaosError('EXIST', `RDB has ${pathToString(path, key)} already`);
    const id = this.head.nextKvsId;
    this.head = { ...this.head, nextKvsId: id + 1n };
    const value = Buffer.alloc(10);
    value[0] = TAG_KVS;
    value[1] = CLASSES.indexOf(kvsClass);
    value.writeBigUInt64BE(id, 2);
    this.put(row, value);
  }

  private destroyKvs(path: RdbPath, key: Uint8Array): void {
    const row = this.rowOf(path, key);
    const value = this.table.get(row);
    const child = value && childOf(value);
    if (!child) throw new DaosError('NONEXIST', `RDB has no KVS ${pathToString(path, key)}`);
    this.clear(child, [...path, key]);
    this.drop(row);
  }

  private update(path: RdbPath, key: Uint8Array, value: Uint8Array): void {
    if (value.length === 0)
      throw new DaosError('INVAL', `the value of ${pathToString(path, key)} must not be empty`);
    const row = this.rowOf(path, key);
    const old = this.table.get(row);
    if (old) valueOf(old, path, key);
    const tagged = Buffer.allocUnsafe(value.length + 1);
    tagged[0] = TAG_VALUE;
    tagged.set(value, 1);
    this.put(row, tagged, old);
  }

  private remove(path: RdbPath, key: Uint8Array): void {
    const row = this.rowOf(path, key);
    const old = this.table.get(row);
    if (!old) return;
    valueOf(old, path, key);
    this.drop(row, old);
  }

  /** Removes all values of a KVS. DER_INVAL when it still holds KVSs. */
  private clear(kvs: Kvs, path: RdbPath): void {
    for (;;) {
      const rows = this.table.range(rowKey(kvs.id), rowKey(kvs.id + 1n), SCAN_PAGE);
      for (const { key, value } of rows) {
        if (value[0] === TAG_KVS) throw new DaosError('INVAL', `${pathToString(path)} still holds a KVS`);
        this.drop(key, value);
      }
      if (rows.length === 0) return;
    }
  }

  private rowOf(path: RdbPath, key: Uint8Array): Uint8Array {
    const kvs = this.resolve(path);
    checkKey(key, kvs.kvsClass);
    return rowKey(kvs.id, key);
  }

  private put(row: Uint8Array, value: Uint8Array, old: Uint8Array | undefined = undefined): void {
    this.account(rowSize(row, value) - (old ? rowSize(row, old) : 0));
    this.table.put(row, value);
  }

  private drop(row: Uint8Array, old = this.table.get(row)): void {
    if (!old) return;
    this.account(-rowSize(row, old));
    this.table.remove(row);
  }

  private account(bytes: number): void {
    this.head = { ...this.head, usedBytes: this.head.usedBytes + bytes };
  }
}

/** Changes of one entry over the table, visible to reads through it; the table gets them on `flush`. */
class StagedTable implements KvsTable {
  /** Row key as latin1 text -> new value, undefined for a removed row. */
  private readonly changes = new Map<string, Uint8Array | undefined>();

  constructor(private readonly base: KvsTable) {}

  get(row: Uint8Array): Uint8Array | undefined {
    if (this.changes.size === 0) return this.base.get(row);
    const text = latin1(row);
    return this.changes.has(text) ? this.changes.get(text) : this.base.get(row);
  }

  range(start: Uint8Array, end: Uint8Array, limit: number): { key: Uint8Array; value: Uint8Array }[] {
    const from = latin1(start);
    const to = latin1(end);
    // Removed rows may hide up to `changes.size` rows of the base.
    const merged = new Map(
      this.base.range(start, end, limit + this.changes.size).map((r) => [latin1(r.key), r.value]),
    );
    for (const [text, value] of this.changes) {
      if (text < from || text >= to) continue;
      if (value) merged.set(text, value);
      else merged.delete(text);
    }
    const rows = [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit);
    return rows.map(([text, value]) => ({ key: Buffer.from(text, 'latin1'), value }));
  }

  put(row: Uint8Array, value: Uint8Array): void {
    this.changes.set(latin1(row), value);
  }

  remove(row: Uint8Array): void {
    this.changes.set(latin1(row), undefined);
  }

  flush(): void {
    for (const [text, value] of this.changes) {
      const row = Buffer.from(text, 'latin1');
      if (value) this.base.put(row, value);
      else this.base.remove(row);
    }
    this.changes.clear();
  }

  discard(): void {
    this.changes.clear();
  }
}

function rowKey(id: bigint, key?: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(8 + (key?.length ?? 0));
  row.writeBigUInt64BE(id);
  if (key) row.set(key, 8);
  return row;
}

function successor(row: Uint8Array): Buffer {
  return Buffer.concat([row, Buffer.of(0)]);
}

function rowSize(row: Uint8Array, value: Uint8Array): number {
  return row.length + value.length + ROW_OVERHEAD;
}

function valueOf(row: Uint8Array, path: RdbPath, key: Uint8Array): Uint8Array {
  if (row[0] !== TAG_VALUE)
    throw new DaosError('MISMATCH', `${pathToString(path, key)} is a KVS, not a value`);
  return row.subarray(1);
}

function childOf(row: Uint8Array): Kvs | undefined {
  const kvsClass = CLASSES[row[1] ?? -1];
  if (row[0] !== TAG_KVS || row.length !== 10 || !kvsClass) return undefined;
  return { id: Buffer.from(row.buffer, row.byteOffset, row.byteLength).readBigUInt64BE(2), kvsClass };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
