import { uuidToBytes, type Epoch } from '@daos/common';

import { viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';
import { committedBlobDecode, committedBlobEncode } from './committed_blob.js';
import { CommittedTable, type CommittedDtx } from './committed_table.js';
import type { DtxId } from './dtx_id.js';

const ENTRIES_PER_ROW_MAX = 4096;
/** Rows read back in one call of `index`. */
const ROWS_PER_SLICE = 64;

/** Committed transactions of one container: ids in memory, one row per batch in the index, oldest first. */
export class CommittedRows {
  private readonly key = new IndexKey();
  private readonly table = new CommittedTable();
  private pending: CommittedDtx[] = [];
  private nextRow = 1;
  /** Rows below this one are in the table. */
  private indexedTo = 0;
  private indexEnd = 0;

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
    return this.table.count;
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
      for (const { uuid, hlc, epoch, commitTime } of committedBlobDecode(value)) this.table.add(uuid, hlc, epoch, commitTime);
      last = rowOf(key);
      rows++;
    }
    this.indexedTo = rows < ROWS_PER_SLICE ? this.indexEnd : last + 1;
    return this.isIndexed;
  }

  has(id: DtxId): boolean {
    return this.table.has(uuidToBytes(id.uuid), id.hlc);
  }

  epochOf(id: DtxId): Epoch | undefined {
    return this.table.epochOf(uuidToBytes(id.uuid), id.hlc);
  }

  add(id: DtxId, epoch: Epoch): void {
    const uuid = uuidToBytes(id.uuid);
    const commitTime = this.nowSeconds();
    if (!this.table.add(uuid, id.hlc, epoch, commitTime)) return;
    this.pending.push({ uuid, hlc: id.hlc, epoch, commitTime });
    this.umem.touch();
  }

  /** All, oldest row first. */
  *entries(): Generator<CommittedDtx> {
    for (const { value } of this.umem.range(this.bounds())) yield* committedBlobDecode(value);
    yield* this.pending;
  }

  /**
   * Forgets one row of transactions that were all committed at or before `seconds` (none given: any). True when there
   * may be more.
   */
  aggregate(seconds?: number): boolean {
    if (!this.index()) return true;
    this.writeBack();
    for (const { key, value } of this.umem.range({ ...this.bounds(), limit: 1 })) {
      const entries = committedBlobDecode(value);
      const young = entries.filter(({ commitTime }) => seconds !== undefined && commitTime > seconds);
      const forgotten = entries.length - young.length;
      if (forgotten === 0) return false;
      this.table.removeOldest(seconds, forgotten);
      this.key.assign(key);
      if (young.length === 0) this.umem.remove(this.key);
      else this.umem.put(this.key, committedBlobEncode(young));
      return young.length === 0;
    }
    return false;
  }

  /** Called when a batch ends. */
  writeBack(): void {
    if (this.pending.length === 0) return;
    const { pending } = this;
    this.pending = [];
    for (let at = 0; at < pending.length; at += ENTRIES_PER_ROW_MAX) {
      this.umem.put(this.rowKey(this.nextRow++), committedBlobEncode(pending.slice(at, at + ENTRIES_PER_ROW_MAX)));
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
