import { IodType, type Uuid } from '@daos/common';
import type { Vea } from '@daos/vea';

import { AkeyHead } from './layout/head.js';
import { ownCopy } from './layout/bytes.js';
import { ContainerRows } from './layout/container_rows.js';
import { IndexKey } from './layout/index_key.js';
import { Space } from './layout/spaces.js';
import type { Store } from './store.js';

/** Keys that one step looks at before it is made durable. */
const SLICE_KEYS = 256;

/** Called after each durable step, for tests that crash there. */
export type UpgradeListener = (step: string) => Promise<void>;

/**
 * Brings the index of a shard from version 1 of the layout to version 2: arrays get the rows of their visible picture,
 * containers the number of their objects, the free space its description. Each step is durable before the next, and
 * may be done again: until the superblock says version 2, an upgrade that was cut short begins anew, and passes over
 * what is done. The store must not be in use.
 */
export async function upgradeToLayout2(store: Store, vea: Vea | undefined, onStep: UpgradeListener = () => Promise.resolve()): Promise<void> {
  await upgradeArrays(store, onStep);
  const rows = new ContainerRows(store.umem);
  for (const uuid of rows.list()) {
    await countObjects(store, rows, uuid);
    await onStep('container');
  }
  vea?.upgrade();
  await store.umem.durable();
  await onStep('space');
}

async function upgradeArrays({ umem, heads, extents }: Store, onStep: UpgradeListener): Promise<void> {
  const from = new IndexKey().space(Space.AKEY);
  const to = new IndexKey().space(Space.AKEY + 1);
  for (;;) {
    heads.writeBack();
    const keys = [...umem.range({ from, to, limit: SLICE_KEYS })].map(({ key }) => ownCopy(key));
    for (const key of keys) {
      const head = heads.at(key);
      if (head instanceof AkeyHead && head.kind === IodType.ARRAY && extents.upgrade(head)) heads.modified(head);
    }
    await umem.durable();
    await onStep('arrays');
    const last = keys.at(-1);
    if (!last || keys.length < SLICE_KEYS) return;
    from.assign(last).u8(0);
  }
}

async function countObjects({ umem }: Store, rows: ContainerRows, uuid: Uuid): Promise<void> {
  const row = rows.get(uuid);
  if (!row) return;
  const from = new IndexKey().space(Space.OBJECT).u48(row.no);
  const to = new IndexKey().space(Space.OBJECT).u48(row.no).toPrefixEnd();
  let objectCount = 0;
  for (;;) {
    const keys = [...umem.range({ from, to, limit: SLICE_KEYS })].map(({ key }) => ownCopy(key));
    objectCount += keys.length;
    const last = keys.at(-1);
    if (!last || keys.length < SLICE_KEYS) break;
    from.assign(last).u8(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  rows.put(uuid, { ...row, objectCount });
  await umem.durable();
}
