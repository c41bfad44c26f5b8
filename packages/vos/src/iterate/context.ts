import { DaosError, EPOCH_MAX, type Epoch, type EpochRange } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxState } from '../dtx/active_dtx.js';
import type { DtxHandle } from '../dtx/handle.js';
import { Availability, Intent, type DtxView } from '../dtx/view.js';
import type { Store } from '../store.js';
import type { ValueViewer } from '../value/visibility.js';
import { EpochExpr, VosIterFlag, type VosIterParams } from './types.js';

const { FOR_PURGE, FOR_AGG, FOR_DISCARD, FOR_CHECK, FOR_MIGRATION, UNCOMMITTED, PUNCHED } = VosIterFlag;
/** Those who clean up look at everything that is stored. */
const EVERYTHING = FOR_PURGE | FOR_AGG | FOR_DISCARD | FOR_CHECK;

/** How all levels of one iteration look at the store. */
export class IterContext implements ValueViewer {
  readonly range: EpochRange;
  readonly expr: EpochExpr;
  readonly flags: number;
  readonly bound: Epoch;
  readonly view: DtxView;

  constructor(
    /** DER_NO_HDL when it was closed. */
    private readonly opened: () => Container,
    params: VosIterParams,
    handle: DtxHandle | undefined,
  ) {
    this.expr = params.expr ?? EpochExpr.RE;
    this.flags = params.flags ?? 0;
    this.range = rangeOf(params.epr, this.expr);
    this.bound = handle?.bound ?? this.range.hi;
    this.view = opened().dtx.view(intentOf(this.flags, handle), handle);
  }

  get container(): Container {
    return this.opened();
  }

  get store(): Store {
    return this.container.store;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  get showsEverything(): boolean {
    return this.has(EVERYTHING);
  }

  get showsPunched(): boolean {
    return this.has(EVERYTHING | PUNCHED);
  }

  get showsUncommitted(): boolean {
    return this.has(UNCOMMITTED);
  }

  /** Whether a value counts that is not committed in itself. DER_INPROGRESS when that is not decided. */
  see(record: { readonly owner: number; readonly epoch: Epoch }): boolean {
    if (record.owner === 0) return true;
    const found = this.view.availability(record.owner, false);
    if (found === Availability.SHOWN) return true;
    if (found === Availability.ABORTED) return false;
    if (this.showsUncommitted || (found === Availability.DIRTY && this.showsEverything)) return true;
    if (found === Availability.IN_PROGRESS) this.view.raise(record.owner);
    return false;
  }

  dtxStateOf(owner: number): DtxState | undefined {
    return owner === 0 ? undefined : this.container.dtx.byOwner(owner)?.state;
  }
}

function intentOf(flags: number, handle: DtxHandle | undefined): Intent {
  if (flags & FOR_CHECK) return Intent.CHECK;
  if (flags & FOR_DISCARD) return Intent.DISCARD;
  if (flags & (FOR_PURGE | FOR_AGG)) return Intent.PURGE;
  return flags & FOR_MIGRATION || handle?.isMigration ? Intent.MIGRATION : Intent.READ;
}

function rangeOf({ lo, hi }: EpochRange, expr: EpochExpr): EpochRange {
  if (lo < 0n || hi > EPOCH_MAX) throw new DaosError('INVAL', `epoch range ${lo}..${hi}`);
  switch (expr) {
    case EpochExpr.LE:
      return { lo: 0n, hi };
    case EpochExpr.GE:
      return { lo, hi: EPOCH_MAX };
    case EpochExpr.EQ:
      if (lo !== hi) throw new DaosError('INVAL', `exactly one epoch, not ${lo}..${hi}`);
      return { lo, hi };
    default:
      if (lo > hi) throw new DaosError('INVAL', `epoch range ${lo}..${hi}`);
      return { lo, hi };
  }
}
