import { DaosError, type Epoch, type EpochRange } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxView } from '../dtx/view.js';
import type { AkeyHead } from '../layout/head.js';
import type { LogState } from '../ilog/log_state.js';
import type { Pacer } from './pacer.js';
import type { Path } from './path.js';

/** Flags of an aggregation. Bits as in DAOS. */
export const AggregateFlag = {
  /** Also looks at what an earlier aggregation is done with. */
  FORCE_SCAN: 1,
  /** Merges extents also where little is gained. */
  FORCE_MERGE: 2,
} as const;

/** What all parts of one aggregation or discard share. */
export interface Work {
  readonly container: Container;
  readonly range: EpochRange;
  readonly view: DtxView;
  readonly pacer: Pacer;
  readonly flags: number;
  readonly outcome: Outcome;
}

/** What an aggregation could not do. */
export interface Outcome {
  /** Something belongs to an open transaction, or changed all the time. */
  isBusy: boolean;
  /** Merged data found no space. */
  isOutOfSpace: boolean;
  /** Sources whose checksum does not match their data. */
  checksumErrors: number;
}

/** An akey that is still there, and what is in force at the end of the range. */
export interface AkeyNow {
  readonly head: AkeyHead;
  readonly state: LogState;
}

/** Looks an akey up again after others had the thread. Undefined: it is gone. */
export function akeyNow({ range, view }: Work, path: Path): AkeyNow | undefined {
  const head = path.current();
  return head && { head: head as AkeyHead, state: path.stateAt(range.hi, view) };
}

/** DER_DATA_LOSS when what the path leads to was marked corrupt. */
export function checkSoundAt(what: string, path: Path): void {
  if (path.current()?.log.isCorrupted) {
    throw new DaosError('DATA_LOSS', `${what} was marked as corrupt: discard or delete it`);
  }
}

export function isIn({ lo, hi }: EpochRange, epoch: Epoch): boolean {
  return epoch >= lo && epoch <= hi;
}
