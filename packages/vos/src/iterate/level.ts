import { DaosError } from '@daos/common';

import type { LogState } from '../ilog/log_state.js';
import type { Place } from './place.js';
import type { VosIterEntry, VosIterType } from './types.js';

/** What a level of the tree hangs below. */
export interface Parent {
  readonly no: number;
  /** What is in force there. */
  readonly state: LogState;
  readonly objectPunch: bigint;
  /** Where the parent stands in the index; empty for a container. */
  readonly indexKey: Uint8Array;
}

/** An entry of a level, and what can be done with it. */
export interface Item {
  readonly entry: VosIterEntry;
  readonly place: Place;
  /** Set when something can be below it. */
  readonly below?: { readonly type: VosIterType; readonly parent: Parent };
  delete(): void;
  markCorrupt(): void;
  validate(): boolean;
}

export interface Slice {
  readonly items: readonly Item[];
  /** Behind what was looked at; undefined: the end was reached. */
  readonly next: Place | undefined;
}

/** Entries that one slice makes at the most. */
export const SLICE_ITEMS_MAX = 64;
/** Index records that one slice looks at, for each entry that is wanted. */
export const SLICE_RECORDS_EACH = 4;

/** One level of an iteration: reads slices, each in one go, and keeps nothing in between. */
export interface Level {
  readonly type: VosIterType;
  /** About `count` entries from a place on. An empty slice need not be the end. */
  slice(from: Place, count: number): Slice;
}

export function notOfLevel(what: string): DaosError {
  return new DaosError('INVAL', `not an anchor of ${what}`);
}
