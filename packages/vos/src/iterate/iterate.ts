import { DaosError } from '@daos/common';

import type { DtxHandle } from '../dtx/handle.js';
import { Cursor, Turn } from './cursor.js';
import type { IterContext } from './context.js';
import type { Item, Level } from './level.js';
import { levelBelow, openLevel } from './open_level.js';
import { PLACE_END, PLACE_START, placeDecode, placeEncode, type Place } from './place.js';
import {
  VosIterAction,
  VosIterType,
  type VosIterAnchors,
  type VosIterCallback,
  type VosIterCallbacks,
  type VosIterEntry,
  type VosIterParams,
  type VosIterStand,
} from './types.js';

const { DELETE, SKIP, RESTART, ABORT, YIELD, EXIT } = VosIterAction;

const ANCHOR_OF = {
  [VosIterType.COUUID]: 'container',
  [VosIterType.OBJ]: 'object',
  [VosIterType.DKEY]: 'dkey',
  [VosIterType.AKEY]: 'akey',
  [VosIterType.SINGLE]: 'single',
  [VosIterType.RECX]: 'recx',
  [VosIterType.DTX]: 'dtx',
} as const satisfies Record<VosIterType, keyof VosIterAnchors>;

/**
 * Goes through a level of the store, and with `isRecursive` through all below it: for each entry `filter` (objects and
 * keys), `pre`, what is below, `post`. Callbacks may be async; the store may change meanwhile, and the iteration goes on
 * behind the last entry. It begins at the anchors, and leaves in them where it stopped: at the entry whose callback
 * answered EXIT or threw, or at the end. Without EXIT the anchors of lower levels are empty afterwards.
 *
 * DER_NOSYS for a recursion from containers down, DER_INPROGRESS when a transaction has to be waited for, DER_TX_RESTART,
 * DER_DATA_LOSS when it would go below something that is marked as corrupt. What does not exist is empty.
 */
export async function vosIterate(
  params: VosIterParams,
  type: VosIterType,
  isRecursive: boolean,
  anchors: VosIterAnchors,
  callbacks: VosIterCallbacks,
  handle?: DtxHandle,
): Promise<void> {
  if (isRecursive && type === VosIterType.COUUID) throw new DaosError('NOSYS', 'an iteration from containers down: open each, and iterate in it');
  const start = placeDecode(anchors[ANCHOR_OF[type]]);
  const opened = openLevel(params, type, handle);
  if (!opened) {
    anchors[ANCHOR_OF[type]] = placeEncode(PLACE_END);
    return;
  }
  const walk = new Walk(opened.context, isRecursive, anchors, callbacks);
  await walk.level(opened.level, start, true);
}

/** How an entry was dealt with. */
type Outcome = 'next' | 'leave' | 'exit';

class Walk {
  private readonly turn = new Turn();

  constructor(
    private readonly context: IterContext | undefined,
    private readonly isRecursive: boolean,
    private readonly anchors: VosIterAnchors,
    private readonly callbacks: VosIterCallbacks,
  ) {}

  /** False when all levels are to be left. */
  async level(level: Level, start: Place, isTop: boolean): Promise<boolean> {
    const cursor = new Cursor(level, start, this.turn);
    const name = ANCHOR_OF[level.type];
    try {
      for (;;) {
        const item = await cursor.next();
        if (!item) break;
        const outcome = await this.entry(cursor, item);
        if (outcome === 'leave') break;
        if (outcome === 'exit') {
          this.anchors[name] = placeEncode(cursor.place);
          return false;
        }
      }
    } catch (error) {
      this.anchors[name] = placeEncode(cursor.place);
      throw error;
    }
    // below the next entry above it begins with the first
    this.anchors[name] = placeEncode(isTop ? cursor.place : PLACE_START);
    return true;
  }

  private async entry(cursor: Cursor, item: Item): Promise<Outcome> {
    const { filter, pre, post } = this.callbacks;
    const { type } = item.entry;
    const isKey = type === VosIterType.OBJ || type === VosIterType.DKEY || type === VosIterType.AKEY;
    if (filter && isKey) {
      const actions = await this.call(filter, item);
      const outcome = this.outcome(cursor, actions);
      if (outcome || actions & (SKIP | DELETE)) return outcome ?? 'next';
    }
    let actions = 0;
    if (pre) {
      actions = await this.call(pre, item);
      const outcome = this.outcome(cursor, actions);
      if (outcome || actions & DELETE) return outcome ?? 'next';
    }
    if (this.isRecursive && !(actions & SKIP) && !(await this.below(item))) return 'exit';
    if (!post) return 'next';
    return this.outcome(cursor, await this.call(post, item)) ?? 'next';
  }

  private async below({ below, entry }: Item): Promise<boolean> {
    if (!below || !this.context) return true;
    if ('isCorrupted' in entry && entry.isCorrupted && !this.context.showsEverything) {
      throw new DaosError('DATA_LOSS', 'it was marked as corrupt: delete it, or discard it and write it again');
    }
    const level = levelBelow(this.context, below.type, below.parent);
    return this.level(level, placeDecode(this.anchors[ANCHOR_OF[below.type]]), false);
  }

  private async call(callback: VosIterCallback, item: Item): Promise<number> {
    const answer = callback(item.entry, new Stand(item));
    let actions: number | void;
    if (answer instanceof Promise) {
      try {
        actions = await answer;
      } finally {
        this.turn.passed();
      }
    } else actions = answer;
    if ((actions ?? 0) & (DELETE | YIELD)) this.turn.passed();
    return actions ?? 0;
  }

  private outcome(cursor: Cursor, actions: number): Outcome | undefined {
    if (actions & EXIT) return 'exit';
    if (actions & ABORT) return 'leave';
    if (!(actions & RESTART)) return undefined;
    cursor.restart();
    return 'next';
  }
}

class Stand implements VosIterStand {
  constructor(private readonly item: Item) {}

  delete(): void {
    this.item.delete();
  }

  markCorrupt(): void {
    this.item.markCorrupt();
  }

  validate(): boolean {
    return this.item.validate();
  }

  anchor(): Uint8Array {
    return placeEncode(this.item.place);
  }
}

/** One level step by step, for those who want no callbacks. Changes made in the same turn may not show. */
export class VosIterator {
  private readonly turn = new Turn();
  private cursor: Cursor;
  private passing: NodeJS.Immediate | undefined;

  private constructor(private readonly level: Level) {
    this.cursor = new Cursor(level, PLACE_END, this.turn);
  }

  /** DER_NONEXIST when what is above the level does not exist; what `vosIterate` throws. */
  static prepare(params: VosIterParams, type: VosIterType, handle?: DtxHandle): VosIterator {
    const opened = openLevel(params, type, handle);
    if (!opened) throw new DaosError('NONEXIST', 'what is above the entries does not exist');
    return new VosIterator(opened.level);
  }

  /** Goes to the first entry, or to that of an anchor or the next behind it. False when there is none. */
  async probe(anchor?: Uint8Array): Promise<boolean> {
    this.cursor = new Cursor(this.level, placeDecode(anchor), this.turn);
    return this.next();
  }

  /** False at the end. */
  async next(): Promise<boolean> {
    // what is read ahead counts for one turn of the event loop
    this.passing ??= setImmediate(() => {
      this.turn.passed();
      this.passing = undefined;
    });
    return (await this.cursor.next()) !== undefined;
  }

  /** The present entry. DER_NONEXIST before the first, and at the end. */
  get entry(): VosIterEntry {
    return this.item.entry;
  }

  get stand(): VosIterStand {
    return new Stand(this.item);
  }

  private get item(): Item {
    const { current } = this.cursor;
    if (!current) throw new DaosError('NONEXIST', 'the iterator is not at an entry');
    return current;
  }
}
