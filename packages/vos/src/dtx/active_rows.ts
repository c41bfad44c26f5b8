import type { ActiveDtx } from './active_dtx.js';
import { activeDecode, activeEncode } from './active_blob.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import type { Umem } from '../umem/umem.js';

/**
 * The rows of one container's open transactions. Changed ones are written when the batch ends, with what they have
 * written: an entry never is in the index without the row that tells whose it is.
 */
export class ActiveRows {
  private readonly key = new IndexKey();
  private readonly dirty: ActiveDtx[] = [];

  constructor(
    private readonly umem: Umem,
    private readonly containerNo: number,
  ) {}

  *load(): Generator<ActiveDtx> {
    const from = new IndexKey().space(Space.DTX_ACTIVE).u48(this.containerNo);
    const to = new IndexKey().space(Space.DTX_ACTIVE).u48(this.containerNo).toPrefixEnd();
    // a copy: whoever takes one may change the index
    for (const { value } of [...this.umem.range({ from, to })]) yield activeDecode(value);
  }

  changed(dtx: ActiveDtx): void {
    this.umem.touch();
    if (dtx.isDirty) return;
    dtx.isDirty = true;
    this.dirty.push(dtx);
  }

  remove(dtx: ActiveDtx): void {
    this.umem.touch();
    // a row that is waiting to be written is not
    dtx.isDirty = false;
    this.umem.remove(this.keyOf(dtx));
  }

  /** Called when a batch ends. */
  writeBack(): void {
    if (this.dirty.length === 0) return;
    for (const dtx of this.dirty) {
      if (!dtx.isDirty) continue;
      dtx.isDirty = false;
      this.umem.put(this.keyOf(dtx), activeEncode(dtx));
    }
    this.dirty.length = 0;
  }

  private keyOf({ owner }: ActiveDtx): IndexKey {
    return this.key.space(Space.DTX_ACTIVE).u48(this.containerNo).u32(owner);
  }
}

