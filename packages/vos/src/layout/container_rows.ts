import { DaosError, uuidFromBytes, uuidToBytes, type Epoch, type Uuid } from '@daos/common';

import type { Umem } from '../umem/umem.js';
import { getU48, setU48, viewOf } from './bytes.js';
import { IndexKey } from './index_key.js';
import { Space } from './spaces.js';

/**
 * Row of a container: no u48 | highest aggregated epoch u64 | objects u48 | global stable epoch u64. Rows of layout
 * version 1 end behind the number.
 */
const BYTES = 28;
const BYTES_V1 = 6;

export interface ContainerRow {
  readonly no: number;
  /** Highest aggregated epoch. */
  readonly hae: Epoch;
  /** Objects that were made and not removed, punched ones included. */
  readonly objectCount: number;
  readonly globalStable: Epoch;
}

/** The containers of a pool in its index. */
export class ContainerRows {
  private readonly key = new IndexKey();

  constructor(private readonly umem: Umem) {}

  get(uuid: Uuid): ContainerRow | undefined {
    const bytes = this.umem.get(this.keyOf(uuid));
    if (!bytes) return undefined;
    const view = viewOf(bytes);
    const no = getU48(view, 0);
    if (bytes.length === BYTES_V1) return { no, hae: 0n, objectCount: 0, globalStable: 0n };
    if (bytes.length < BYTES) throw new DaosError('DF_INVAL', `row of container ${uuid} is damaged`);
    return { no, hae: view.getBigUint64(6), objectCount: getU48(view, 14), globalStable: view.getBigUint64(20) };
  }

  put(uuid: Uuid, row: ContainerRow): void {
    const bytes = new Uint8Array(BYTES);
    const view = viewOf(bytes);
    setU48(view, 0, row.no);
    view.setBigUint64(6, row.hae);
    setU48(view, 14, row.objectCount);
    view.setBigUint64(20, row.globalStable);
    this.umem.put(this.keyOf(uuid), bytes);
  }

  remove(uuid: Uuid): void {
    this.umem.remove(this.keyOf(uuid));
  }

  list(): Uuid[] {
    const from = new IndexKey().space(Space.CONTAINER);
    const to = new IndexKey().space(Space.CONTAINER).toPrefixEnd();
    return [...this.umem.range({ from, to })].map(({ key }) => uuidFromBytes(key.subarray(1)));
  }

  private keyOf(uuid: Uuid): IndexKey {
    return this.key.space(Space.CONTAINER).raw(uuidToBytes(uuid));
  }
}
