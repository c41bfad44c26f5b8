import { DaosError } from '@daos/common';

import { DtxState, type ActiveDtx } from '../dtx/active_dtx.js';
import type { IterContext } from './context.js';
import { notOfLevel, type Item, type Level, type Slice } from './level.js';
import type { Place } from './place.js';
import { VosIterType } from './types.js';

/** A container's transactions that are not decided, by their local numbers. */
export class DtxLevel implements Level {
  readonly type = VosIterType.DTX;
  /** Goes on where it stands, whatever is added or removed. */
  private source: Iterator<ActiveDtx> | undefined;
  private lastOwner = -1;

  constructor(private readonly context: IterContext) {}

  slice(place: Place, count: number): Slice {
    if (place.kind === 'end') return { items: [], next: undefined };
    if (place.kind !== 'start' && place.kind !== 'index') throw notOfLevel('transactions');
    const { range } = this.context;
    const items: Item[] = [];
    for (const dtx of this.from(place)) {
      if (dtx.id.uuid === '' || dtx.epoch < range.lo || dtx.epoch > range.hi) continue;
      items.push(this.item(dtx));
      if (items.length === count) {
        this.lastOwner = dtx.owner;
        return { items, next: { kind: 'index', index: BigInt(dtx.owner), isInclusive: false } };
      }
    }
    return { items, next: undefined };
  }

  /** Goes on behind what was read last, else searches for the place. */
  private *from(place: Place): Generator<ActiveDtx> {
    const isNext = place.kind === 'index' && !place.isInclusive && Number(place.index) === this.lastOwner;
    if (!this.source || !isNext) this.source = this.context.container.dtx.open()[Symbol.iterator]();
    const source = this.source;
    for (let step = source.next(); !step.done; step = source.next()) {
      const owner = BigInt(step.value.owner);
      if (isNext || place.kind !== 'index' || owner > place.index || (place.isInclusive && owner === place.index)) yield step.value;
    }
  }

  private item(dtx: ActiveDtx): Item {
    const { id, epoch, oid, dkeyHash, state, flags, membership, version, records, owner } = dtx;
    const refuse = (what: string) => (): never => {
      throw new DaosError('NOSYS', `a transaction cannot be ${what} here: commit or abort it through its container`);
    };
    return {
      entry: { type: VosIterType.DTX, id, epoch, oid, dkeyHash, state, flags, membership, version, recordCount: records.length },
      place: { kind: 'index', index: BigInt(owner), isInclusive: true },
      delete: refuse('deleted'),
      markCorrupt: refuse('marked'),
      validate: () => this.context.container.dtx.byOwner(owner) === dtx && dtx.state !== DtxState.ABORTED,
    };
  }
}
