import { DaosError, uuidFromBytes, uuidToBytes, type Epoch } from '@daos/common';

import { viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';
import { CommittedTable } from './committed_table.js';
import type { DtxId } from './handle.js';

/**
 * Row of the transactions committed in one batch: magic u32 | count u32 | each: uuid (16) | hlc u64 | epoch u64 |
 * commit time in seconds u32.
 */
const MAGIC = 0x2502191c;
const HEAD_BYTES = 8;
const ENTRY_BYTES = 36;
const ENTRIES_PER_ROW_MAX = 4096;
/** Rows read back in one call of `index`. */
const ROWS_PER_SLICE = 64;

interface Pending {
  readonly id: DtxId;
  readonly epoch: Epoch;
  readonly seconds: number;
}

/** Committed transactions of one container: ids in memory, one row per batch in the index, oldest first. */
export class CommittedRows {
  private readonly key = new IndexKey();
  private readonly table = new CommittedTable();
  private pending: Pending[] = [];
  private nextRow = 1;
  /** Rows below this one are in the table. */
  private indexedTo = 0;
  private indexEnd = 0;
  /** Commit time of the newest one that was forgotten. */
  newestForgotten = 0;

  constructor(
    private readonly umem: Umem,
    private readonly containerNo: number,
    private readonly nowSeconds: () => number,
  ) {
    for (const { key } of this.umem.range({ ...this.bounds(), reverse: true, limit: 1 })) this.nextRow = rowOf(key) + 1;
    this.indexEnd = this.nextRow;
    if (this.nextRow === 1) this.indexedTo = this.indexEnd;
  }

  get count(): number {
    return this.table.size;
  }

  /** False while rows of an earlier run are still to be read: an unknown id may be one of theirs. */
  get isIndexed(): boolean {
    return this.indexedTo >= this.indexEnd;
  }

  /** Reads some more rows of an earlier run. True when all are read. DER_IO when one is damaged. */
  index(): boolean {
    if (this.isIndexed) return true;
    const from = this.rowKey(this.indexedTo);
    let last = this.indexEnd;
    let rows = 0;
    const to = new IndexKey().space(Space.DTX_COMMITTED).u48(this.containerNo).u48(this.indexEnd);
    for (const { key, value } of this.umem.range({ from, to, limit: ROWS_PER_SLICE })) {
      for (const { id, epoch, seconds } of decodeRow(value)) this.table.add(id, epoch, seconds);
      last = rowOf(key);
      rows++;
    }
    this.indexedTo = rows < ROWS_PER_SLICE ? this.indexEnd : last + 1;
    return this.isIndexed;
  }

  has(id: DtxId): boolean {
    return this.table.has(id);
  }

  epochOf(id: DtxId): Epoch | undefined {
    return this.table.epochOf(id);
  }

  add(id: DtxId, epoch: Epoch): void {
    const seconds = this.nowSeconds();
    this.table.add(id, epoch, seconds);
    this.pending.push({ id, epoch, seconds });
    this.umem.touch();
  }

  /** All, oldest row first. */
  *entries(): Generator<Pending> {
    for (const { value } of this.umem.range(this.bounds())) yield* decodeRow(value);
    yield* this.pending;
  }

  /**
   * Forgets one row of transactions that were all committed at or before `seconds` (none given: any). True when there
   * may be more.
   */
  aggregate(seconds = Infinity): boolean {
    this.writeBack();
    for (const { key, value } of this.umem.range({ ...this.bounds(), limit: 1 })) {
      const entries = decodeRow(value);
      const old = entries.filter((entry) => entry.seconds <= seconds);
      if (old.length === 0) return false;
      for (const { id, seconds: committed } of old) {
        this.table.remove(id);
        if (committed > this.newestForgotten) this.newestForgotten = committed;
      }
      this.key.assign(key);
      if (old.length === entries.length) {
        this.umem.remove(this.key);
        return true;
      }
      this.umem.put(this.key, encodeRow(entries.filter((entry) => entry.seconds > seconds)));
      return false;
    }
    return false;
  }

  /** Called when a batch ends. */
  writeBack(): void {
    if (this.pending.length === 0) return;
    const { pending } = this;
    this.pending = [];
    for (let at = 0; at < pending.length; at += ENTRIES_PER_ROW_MAX) {
      this.umem.put(this.rowKey(this.nextRow++), encodeRow(pending.slice(at, at + ENTRIES_PER_ROW_MAX)));
    }
  }

  private bounds(): { from: IndexKey; to: IndexKey } {
    const from = new IndexKey().space(Space.DTX_COMMITTED).u48(this.containerNo);
    return { from, to: new IndexKey().space(Space.DTX_COMMITTED).u48(this.containerNo).toPrefixEnd() };
  }

  private rowKey(row: number): IndexKey {
    return this.key.space(Space.DTX_COMMITTED).u48(this.containerNo).u48(row);
  }
}

function rowOf(key: Uint8Array): number {
  const view = viewOf(key);
  return view.getUint16(7) * 0x1_0000_0000 + view.getUint32(9);
}

function encodeRow(entries: readonly Pending[]): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + entries.length * ENTRY_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC);
  view.setUint32(4, entries.length);
  entries.forEach(({ id, epoch, seconds }, i) => {
    const at = HEAD_BYTES + i * ENTRY_BYTES;
    bytes.set(uuidToBytes(id.uuid), at);
    view.setBigUint64(at + 16, id.hlc);
    view.setBigUint64(at + 24, epoch);
    view.setUint32(at + 32, seconds);
  });
  return bytes;
}

function decodeRow(bytes: Uint8Array): Pending[] {
  const view = viewOf(bytes);
  const count = bytes.length >= HEAD_BYTES ? view.getUint32(4) : -1;
  if (count < 0 || view.getUint32(0) !== MAGIC || bytes.length !== HEAD_BYTES + count * ENTRY_BYTES) {
    throw new DaosError('IO', 'a row of committed transactions is damaged');
  }
  return Array.from({ length: count }, (_, i) => {
    const at = HEAD_BYTES + i * ENTRY_BYTES;
    return {
      id: { uuid: uuidFromBytes(bytes.slice(at, at + 16)), hlc: view.getBigUint64(at + 16) },
      epoch: view.getBigUint64(at + 24),
      seconds: view.getUint32(at + 32),
    };
  });
}
