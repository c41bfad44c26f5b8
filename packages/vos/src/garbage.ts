import { IodType } from '@daos/common';
import { getLogger } from '@daos/gurt';

import { EMPTY, getU48, viewOf } from './layout/bytes.js';
import { AkeyHead, DkeyHead, KeyRecord, type Head } from './layout/head.js';
import { ANCHOR_SORT_KEY_BYTES_MAX, PREFIX_BYTES } from './layout/heads.js';
import { IndexKey } from './layout/index_key.js';
import { Space } from './layout/spaces.js';
import type { Store } from './store.js';
import type { UmemEntry } from './umem/umem.js';
import { ValueRecord } from './value/value_record.js';

/**
 * Rows that one slice removes, as in DAOS: beside other work, when space is wanted back, and when somebody waits for
 * all of it.
 */
const CREDITS = { slack: 8, tight: 32, max: 4096 } as const;
/** A slice ends when it has held the thread for this long, credits or not. */
const SLICE_MS = 2;
/** Rows of values that are read in one go. */
const PAGE_ROWS = 64;
/** With less of the index free than this share, space is wanted back. */
const TIGHT_SHARE = 0.1;

/** What DEAD rows stand for: the deepest come first, so that the space under them is back soon and queues stay short. */
const Kind = { AKEY: 1, DKEY: 2, OBJECT: 3 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];
const DEAD_NO_AT = 2;

/** What was removed since the pool was opened or the numbers were reset. */
export interface GcStatistics {
  readonly conts: number;
  readonly objs: number;
  readonly dkeys: number;
  readonly akeys: number;
  readonly singvs: number;
  readonly recxs: number;
}

type Counts = { -readonly [K in keyof GcStatistics]: number };

const NOTHING: GcStatistics = { conts: 0, objs: 0, dkeys: 0, akeys: 0, singvs: 0, recxs: 0 };

/**
 * Removes what was detached, in slices: to delete a container, an object, a dkey or an akey is to write one row, and
 * what is below it goes here, values first, then the key above them. A slice is one batch of the index, so after a
 * restart the work goes on where the index stands.
 */
export class Garbage {
  private readonly key = new IndexKey();
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();
  private budget = 0;
  private deadline = 0;
  private begun = 0;
  private counts: Counts = { ...NOTHING };
  private running: Promise<void> | undefined;
  private waiting = 0;
  /** Something may be left that the running pass has not seen. */
  private isWanted = false;
  private stopped = false;
  /** Longest time that a slice has held the thread. */
  longestSliceMs = 0;

  constructor(private readonly store: Store) {}

  get statistics(): GcStatistics {
    return { ...this.counts };
  }

  reset(): void {
    this.counts = { ...NOTHING };
  }

  /**
   * Takes an object, dkey or akey with everything below it out of the index at once: O(1). It is removed in the
   * background.
   */
  detach(head: Head): void {
    const { heads, umem } = this.store;
    // what is changed below it must be in the index before it is looked for there
    heads.writeBack();
    const kind = head instanceof AkeyHead ? Kind.AKEY : head instanceof DkeyHead ? Kind.DKEY : Kind.OBJECT;
    heads.remove(head);
    umem.put(this.key.space(Space.DEAD).u8(kind).u48(head.no), kind === Kind.AKEY ? encoded(head as AkeyHead) : EMPTY);
    this.start();
  }

  /** Starts, or goes on, removing what is marked. */
  start(): void {
    this.isWanted = true;
    if (this.stopped || this.running) return;
    this.running = this.run()
      .catch((error: unknown) => {
        this.isWanted = false;
        getLogger('vos').error(`garbage collection stopped: ${String(error)}`);
      })
      .finally(() => {
        this.running = undefined;
        // something was detached after the last look
        if (this.isWanted) this.start();
      });
  }

  /** Resolves when nothing is left to remove, or removal has stopped. */
  async idle(): Promise<void> {
    this.waiting++;
    try {
      while (this.running) await this.running;
    } finally {
      this.waiting--;
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    for (;;) {
      // others first
      await new Promise((resolve) => setImmediate(resolve));
      if (this.stopped) return;
      this.isWanted = false;
      const isMore = this.slice();
      await this.store.umem.durable();
      if (!isMore) return;
    }
  }

  /** Removes some rows. False when nothing is left to remove. */
  private slice(): boolean {
    this.begun = performance.now();
    this.deadline = this.begun + SLICE_MS;
    this.budget = this.credits();
    this.store.heads.writeBack();
    let isDone: boolean;
    do {
      const dead = this.first(Space.DEAD, undefined);
      const next = dead ?? this.first(Space.DYING, undefined);
      isDone = next === undefined;
      if (!next || !(dead ? this.removeDead(dead) : this.removeContainer(getU48(viewOf(next.key), 1)))) break;
      this.remove(next.key);
      if (!dead) this.counts.conts++;
      this.budget--;
    } while (!this.isSpent());
    this.longestSliceMs = Math.max(this.longestSliceMs, performance.now() - this.begun);
    return !isDone;
  }

  private credits(): number {
    if (this.waiting > 0) return CREDITS.max;
    const { space, umem } = this.store;
    const isTight = space.freeBytes < space.totalBytes * TIGHT_SHARE;
    return isTight || umem.pendingBytes() === 0 ? CREDITS.tight : CREDITS.slack;
  }

  private isSpent(): boolean {
    return this.budget <= 0 || performance.now() >= this.deadline;
  }

  /** True when nothing of it is left; the caller removes the row. */
  private removeDead({ key, value }: UmemEntry): boolean {
    const no = getU48(viewOf(key), DEAD_NO_AT);
    switch (key[1] as Kind) {
      case Kind.AKEY: {
        const head = AkeyHead.decode(0, EMPTY, 0, EMPTY, value);
        if (!this.removeValues(head)) return false;
        this.counts.akeys++;
        return true;
      }
      case Kind.DKEY:
        if (!this.removeAkeys(no)) return false;
        this.counts.dkeys++;
        return true;
      case Kind.OBJECT:
        if (!this.removeDkeys(no)) return false;
        this.counts.objs++;
        return true;
    }
  }

  private removeContainer(containerNo: number): boolean {
    const isEmpty = this.removeEach(Space.OBJECT, containerNo, ({ key, value }) => {
      if (!this.removeDkeys(getU48(viewOf(value), 0))) return false;
      this.remove(key);
      this.counts.objs++;
      return true;
    });
    // and what is known of its transactions
    return isEmpty && [Space.DTX_ACTIVE, Space.DTX_COMMITTED].every((space) =>
      this.removeEach(space, containerNo, ({ key }) => {
        this.remove(key);
        return true;
      }),
    );
  }

  private removeDkeys(objectNo: number): boolean {
    return this.removeEach(Space.DKEY, objectNo, (entry) => {
      const no = KeyRecord.no(viewOf(entry.value));
      this.store.heads.forgetDkey(objectNo, DkeyHead.keyOf(entry.value));
      if (!this.removeAkeys(no)) return false;
      this.removeKey(entry);
      if (no !== 0) this.counts.dkeys++;
      return true;
    });
  }

  private removeAkeys(dkeyNo: number): boolean {
    return this.removeEach(Space.AKEY, dkeyNo, (entry) => {
      const head = AkeyHead.decode(dkeyNo, EMPTY, 0, EMPTY, entry.value);
      this.store.heads.forgetAkey(dkeyNo, AkeyHead.keyOf(entry.value));
      if (head.no !== 0 && !this.removeValues(head)) return false;
      this.removeKey(entry);
      if (head.no !== 0) this.counts.akeys++;
      return true;
    });
  }

  /** Rows below a parent, from the first on. True when all are gone. */
  private removeEach(space: number, parentNo: number, removeOne: (entry: UmemEntry) => boolean): boolean {
    while (!this.isSpent()) {
      const entry = this.first(space, parentNo);
      if (!entry) return true;
      if (!removeOne(entry)) return false;
      this.budget--;
    }
    return false;
  }

  /** False when the slice is used up; what is left is in rows, the head is as it was. */
  private removeValues(head: AkeyHead): boolean {
    if (head.kind !== IodType.ARRAY) return this.removeVersions(head);
    while (!this.isSpent()) {
      const { records, credits, isEmpty } = this.store.extents.drain(head, Math.min(this.budget, PAGE_ROWS));
      this.budget -= Math.min(this.budget, PAGE_ROWS) - credits;
      this.counts.recxs += records;
      if (isEmpty) return true;
    }
    return false;
  }

  private removeVersions(head: AkeyHead): boolean {
    const { data, umem } = this.store;
    while (head.isSpilled || head.values[0]?.isApart === true) {
      if (this.isSpent()) return false;
      const from = this.from.space(Space.VALUE).u48(head.no);
      const to = this.to.space(Space.VALUE).u48(head.no).toPrefixEnd();
      const rows = [...umem.range({ from, to, limit: Math.min(this.budget, PAGE_ROWS) })];
      for (const { key, value } of rows) {
        data.free(ValueRecord.decode(value));
        this.remove(key);
        this.counts.singvs++;
        this.budget--;
      }
      if (rows.length === 0) break;
    }
    for (const value of head.values) {
      if (value.isApart) continue;
      data.free(value);
      this.counts.singvs++;
    }
    return true;
  }

  private removeKey({ key, value }: UmemEntry): void {
    if (key.length - PREFIX_BYTES > ANCHOR_SORT_KEY_BYTES_MAX) {
      this.store.umem.remove(this.key.space(Space.LONG_KEY).u48(KeyRecord.no(viewOf(value))));
    }
    this.remove(key);
  }

  private remove(key: Uint8Array): void {
    this.store.umem.remove(this.key.assign(key));
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

function encoded(head: AkeyHead): Uint8Array {
  const bytes = new Uint8Array(head.encodedBytes);
  head.encode(bytes, viewOf(bytes));
  return bytes;
}
