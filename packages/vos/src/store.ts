import type { Epoch } from '@daos/common';

import type { KeyPeek } from './layout/key_peek.js';
import type { Heads } from './layout/heads.js';
import type { IndexSpace } from './space.js';
import type { PoolTimestamps } from './ts/pool_timestamps.js';
import type { Umem } from './umem/umem.js';
import type { DataStore } from './value/data_store.js';
import type { Extents } from './value/extents.js';
import type { SingleValues } from './value/single_values.js';

/** What the operations of one pool work on. */
export interface Store {
  readonly umem: Umem;
  readonly heads: Heads;
  readonly peek: KeyPeek;
  readonly singles: SingleValues;
  readonly extents: Extents;
  readonly data: DataStore;
  readonly space: IndexSpace;
  /** The hybrid logical clock; 0 where epochs are not clock values. */
  now(): Epoch;
  /** Wall clock, for commit times. */
  nowSeconds(): number;
  /** The pool's part of the target's timestamp cache. */
  readonly timestamps: PoolTimestamps;
}

/** Closes the files below, all of them, whatever fails. */
export async function storeClose({ umem, data }: Store): Promise<void> {
  await umem.close().finally(() => data.close());
}
