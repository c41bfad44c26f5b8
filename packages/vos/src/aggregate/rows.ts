import { getU48, viewOf } from '../layout/bytes.js';
import { IndexKey } from '../layout/index_key.js';
import type { Store } from '../store.js';
import type { UmemEntry } from '../umem/umem.js';

/** Rows that are read in one go. */
const PAGE_ROWS = 64;

/**
 * The heads below one parent, page by page: a page is what the index holds now. Rows of removed keys, which only keep
 * the place of their successors, are left out.
 */
export class ChildRows {
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();
  private last: Uint8Array | undefined;
  private isAtEnd = false;

  constructor(
    private readonly store: Store,
    private readonly space: number,
    private readonly parentNo: number,
  ) {}

  /** The next rows; undefined: there are no more. */
  page(): UmemEntry[] | undefined {
    if (this.isAtEnd) return undefined;
    const { heads, umem } = this.store;
    heads.writeBack();
    if (this.last) this.from.assign(this.last).u8(0);
    else this.from.space(this.space).u48(this.parentNo);
    const to = this.to.space(this.space).u48(this.parentNo).toPrefixEnd();
    const rows = [...umem.range({ from: this.from, to, limit: PAGE_ROWS })];
    this.last = rows.at(-1)?.key;
    this.isAtEnd = rows.length < PAGE_ROWS;
    return rows.filter(({ value }) => getU48(viewOf(value), 0) !== 0);
  }
}

/** True when nothing is filed below a head but places of removed keys. */
export function isChildless(store: Store, space: number, parentNo: number): boolean {
  const rows = new ChildRows(store, space, parentNo);
  for (let page = rows.page(); page; page = rows.page()) if (page.length > 0) return false;
  return true;
}
