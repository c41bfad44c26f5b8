import { DaosError } from '@daos/common';

import { entryEncode, RdbOpcode, type RdbOperation } from './entry.js';
import type { KvsTreeView } from './kvs_tree.js';
import { RDB_CRITICAL_OPS_MAX, RDB_TX_OPS_MAX, RDB_VALUE_MAX } from './limits.js';
import { checkKey, checkPath, pathToString, type KvsClass, type RdbPath } from './path.js';

/** What a transaction needs of its replica. */
export interface RdbTxHost {
  /** DER_NOTLEADER or DER_CANCELED unless this replica leads in `term`. */
  checkTerm(term: number): void;
  /** Committed state. */
  view(): KvsTreeView;
  commit(term: number, entry: Uint8Array, critical: boolean): Promise<void>;
}

export interface RdbKeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const ITERATE_PAGE = 128;

/**
 * A transaction of the leader. Changes are queued and take effect together on commit; queries read committed data and
 * never see the transaction's own changes. Every call throws DER_NOTLEADER when leadership of its term is lost.
 */
export class RdbTx {
  private operations: RdbOperation[] = [];
  private critical = false;

  constructor(
    private readonly host: RdbTxHost,
    readonly term: number,
  ) {}

  /** DER_EXIST on commit when there is a root already. */
  createRoot(kvsClass: KvsClass = 'generic'): void {
    this.queue({ opcode: RdbOpcode.CREATE_ROOT, kvsClass });
  }

  destroyRoot(): void {
    this.queue({ opcode: RdbOpcode.DESTROY_ROOT });
    this.critical = true;
  }

  /** A child KVS under `key`. DER_EXIST on commit when the key exists. */
  createKvs(path: RdbPath, key: Uint8Array, kvsClass: KvsClass = 'generic'): void {
    check(path, key);
    this.queue({ opcode: RdbOpcode.CREATE, path, key, kvsClass });
  }

  /** The KVS under `key` and its values. On commit DER_NONEXIST when there is none, DER_INVAL when it holds KVSs. */
  destroyKvs(path: RdbPath, key: Uint8Array): void {
    check(path, key);
    this.queue({ opcode: RdbOpcode.DESTROY, path, key });
    this.critical = true;
  }

  /** DER_INVAL for an empty key or value; DER_OVERFLOW for a value beyond the limit. */
  update(path: RdbPath, key: Uint8Array, value: Uint8Array): void {
    check(path, key);
    if (value.length === 0)
      throw new DaosError('INVAL', `the value of ${pathToString(path, key)} must not be empty`);
    if (value.length > RDB_VALUE_MAX)
      throw new DaosError('OVERFLOW', `an RDB value has at most ${RDB_VALUE_MAX} bytes`);
    this.queue({ opcode: RdbOpcode.UPDATE, path, key, value });
  }

  /** An update that may use the space kept free for such. */
  updateCritical(path: RdbPath, key: Uint8Array, value: Uint8Array): void {
    this.update(path, key, value);
    this.critical = true;
  }

  /** Deleting an absent key is no error. `ordinary`: a by-product that lends the transaction no extra space. */
  delete(path: RdbPath, key: Uint8Array, kind: 'critical' | 'ordinary' = 'critical'): void {
    check(path, key);
    this.queue({ opcode: RdbOpcode.DELETE, path, key });
    if (kind === 'critical') this.critical = true;
  }

  /** Undefined when the key is absent; DER_NONEXIST when its KVS is. The value stays valid. */
  lookup(path: RdbPath, key: Uint8Array): Uint8Array | undefined {
    return this.query().lookup(path, key);
  }

  /** True when a KVS is there. */
  exists(path: RdbPath): boolean {
    return this.query().exists(path);
  }

  /** First key and value; undefined in an empty KVS. */
  fetchFirst(path: RdbPath): RdbKeyValue | undefined {
    return this.values(path, undefined, 1)[0];
  }

  /** Last key; undefined in an empty KVS. */
  queryKeyMax(path: RdbPath): Uint8Array | undefined {
    return this.query().entries(path, undefined, 1, true)[0]?.key;
  }

  /** Values in key order; child KVSs are passed over. The consumer may wait between two of them. */
  *iterate(path: RdbPath): Generator<RdbKeyValue> {
    for (const { key, value } of this.pages(path)) if (value) yield { key, value };
  }

  /** Keys that hold child KVSs, in key order. */
  *childKeys(path: RdbPath): Generator<Uint8Array> {
    for (const { key, value } of this.pages(path)) if (!value) yield key;
  }

  /** Number of changes queued. */
  get size(): number {
    return this.operations.length;
  }

  /**
   * Resolves when all changes are applied and durable; at once when there are none. A rejection with DER_NONEXIST,
   * DER_EXIST, DER_MISMATCH or DER_INVAL means that nothing took effect; with DER_NOSPACE too; with DER_NOTLEADER that
   * the outcome is not known.
   */
  async commit(): Promise<void> {
    this.host.checkTerm(this.term);
    if (this.operations.length === 0) return;
    const critical = this.critical && this.operations.length <= RDB_CRITICAL_OPS_MAX;
    const entry = entryEncode({ critical, operations: this.operations });
    this.discard();
    await this.host.commit(this.term, entry, critical);
  }

  /** Drops the queued changes; the transaction can be used on. */
  discard(): void {
    this.operations = [];
    this.critical = false;
  }

  private *pages(path: RdbPath): Generator<{ key: Uint8Array; value: Uint8Array | undefined }> {
    let after: Uint8Array | undefined;
    for (;;) {
      const page = this.query().entries(path, after, ITERATE_PAGE);
      yield* page;
      after = page.at(-1)?.key;
      if (page.length < ITERATE_PAGE) return;
    }
  }

  private values(path: RdbPath, after: Uint8Array | undefined, limit: number): RdbKeyValue[] {
    return this.query()
      .entries(path, after, limit)
      .flatMap(({ key, value }) => (value ? [{ key, value }] : []));
  }

  private query(): KvsTreeView {
    this.host.checkTerm(this.term);
    return this.host.view();
  }

  private queue(operation: RdbOperation): void {
    this.host.checkTerm(this.term);
    if (this.operations.length >= RDB_TX_OPS_MAX) {
      throw new DaosError('OVERFLOW', `an RDB transaction has at most ${RDB_TX_OPS_MAX} operations`);
    }
    this.operations.push(operation);
  }
}

function check(path: RdbPath, key: Uint8Array): void {
  checkPath(path);
  checkKey(key);
}
