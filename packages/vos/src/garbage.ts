import { IodType } from '@daos/common';
import { getLogger } from '@daos/gurt';

import { EMPTY, viewOf } from './layout/bytes.js';
import { AkeyHead, KeyRecord, ObjectHead } from './layout/head.js';
import { ANCHOR_SORT_KEY_BYTES_MAX } from './layout/heads.js';
import { IndexKey } from './layout/index_key.js';
import { Space } from './layout/spaces.js';
import type { Store } from './store.js';
import type { UmemEntry } from './umem/umem.js';
import { ValueRecord } from './value/value_record.js';

/** Index records removed in one turn of the event loop. */
const SLICE_RECORDS = 256;
const KEY_PREFIX_BYTES = 7;

/**
 * Removes destroyed containers in slices: values, then the akey, the dkey, the object above them, and at last
 * the container's mark. Each slice is durable before the next; after a restart it goes on where the index
 * stands.
 */
export class Garbage {
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();
  private budget = 0;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly store: Store) {}

  /** Starts, or goes on, removing what is marked. */
  start(): void {
    if (this.stopped) return;
    this.running ??= this.run()
      .catch((error: unknown) => {
        getLogger('vos').error(`removal of a destroyed container stopped: ${String(error)}`);
      })
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Resolves when nothing is left to remove, or removal has stopped. */
  async idle(): Promise<void> {
    await this.running;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    for (;;) {
      // others first
      await new Promise((resolve) => setImmediate(resolve));
      const dying = this.first(Space.DYING, undefined);
      if (!dying || this.stopped) return;
      this.budget = SLICE_RECORDS;
      if (this.removeContainer(noOf(dying.key))) this.remove(dying.key);
      await this.store.umem.durable();
    }
  }

  /** True when nothing of the container is left; false when the slice is used up. */
  private removeContainer(containerNo: number): boolean {
    for (;;) {
      const object = this.first(Space.OBJECT, containerNo);
      if (!object) return true;
      const { no } = ObjectHead.decode(containerNo, EMPTY, 0, EMPTY, object.value);
      if (!this.removeObject(no) || !this.spend()) return false;
      this.remove(object.key);
    }
  }

  private removeObject(objectNo: number): boolean {
    for (;;) {
      const dkey = this.first(Space.DKEY, objectNo);
      if (!dkey) return true;
      if (!this.removeDkey(KeyRecord.no(viewOf(dkey.value))) || !this.spend()) return false;
      this.removeKey(dkey);
    }
  }

  private removeDkey(dkeyNo: number): boolean {
    for (;;) {
      const akey = this.first(Space.AKEY, dkeyNo);
      if (!akey) return true;
      const head = AkeyHead.decode(dkeyNo, EMPTY, 0, EMPTY, akey.value);
      if (!this.removeValues(head)) return false;
      this.removeKey(akey);
    }
  }

  /** False when the slice is used up; true: the caller removes the head, in the same batch. */
  private removeValues(head: AkeyHead): boolean {
    if (head.kind === IodType.ARRAY) {
      if (this.budget <= 0) return false;
      const { credits, isEmpty } = this.store.extents.drain(head, this.budget);
      this.budget = credits - 1;
      return isEmpty;
    }
    for (;;) {
      const entry = this.first(Space.VALUE, head.no);
      if (!this.spend()) return false;
      if (!entry) break;
      this.store.data.free(ValueRecord.decode(entry.value));
      this.remove(entry.key);
    }
    for (const value of head.values) this.store.data.free(value);
    return true;
  }

  private removeKey(entry: UmemEntry): void {
    if (entry.key.length - KEY_PREFIX_BYTES > ANCHOR_SORT_KEY_BYTES_MAX) {
      this.store.umem.remove(this.from.space(Space.LONG_KEY).u48(KeyRecord.no(viewOf(entry.value))));
    }
    this.remove(entry.key);
  }

  private remove(key: Uint8Array): void {
    this.store.umem.remove(this.from.assign(key));
  }

  private spend(): boolean {
    return this.budget-- > 0;
  }

  private first(space: number, parentNo: number | undefined): UmemEntry | undefined {
    const from = this.from.space(space);
    const to = this.to.space(space);
    if (parentNo !== undefined) {
      from.u48(parentNo);
      to.u48(parentNo);
    }
    for (const entry of this.store.umem.range({ from, to: to.toPrefixEnd(), limit: 1 })) return entry;
    return undefined;
  }
}

function noOf(key: Uint8Array): number {
  const view = viewOf(key);
  return view.getUint16(1) * 0x1_0000_0000 + view.getUint32(3);
}
