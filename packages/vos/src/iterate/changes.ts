import { IodType, type Epoch } from '@daos/common';

import { IncarnationLog } from '../ilog/incarnation_log.js';
import { LogState } from '../ilog/log_state.js';
import { viewOf } from '../layout/bytes.js';
import { AkeyHead, KeyRecord, ObjectHead } from '../layout/head.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import { INDEX_MAX } from '../value/extent/extent_ref.js';
import type { IterContext } from './context.js';
import { VosIterType } from './types.js';

/**
 * True when a value below an object or key, or an akey's own, was written in the range of the iteration. Looks only as
 * far as the first one.
 */
export function hasVersionIn(context: IterContext, type: VosIterType, no: number, value: Uint8Array, state: LogState): boolean {
  const { range } = context;
  switch (type) {
    case VosIterType.OBJ:
      if (ObjectHead.decode(0, value, 0, value, value).maxWrite < range.lo) return false;
      return someBelow(context, VosIterType.DKEY, Space.DKEY, no, dkeyLog, state);
    case VosIterType.DKEY:
      return someBelow(context, VosIterType.AKEY, Space.AKEY, no, AkeyHead.logOf, state);
    default:
      return akeyHasVersion(context, AkeyHead.decode(0, value, 0, value, value), range.lo, range.hi, state);
  }
}

function akeyHasVersion(context: IterContext, head: AkeyHead, lo: Epoch, hi: Epoch, state: LogState): boolean {
  if (head.maxEpoch < lo) return false;
  const { singles, extents } = context.store;
  const counts = (record: { epoch: Epoch; minor: number; owner: number }): boolean =>
    context.see(record) && (context.showsPunched || !state.punch.hides(record.epoch, record.minor));
  if (head.kind === IodType.SINGLE) {
    for (const record of singles.versions(head, lo, hi)) if (counts(record)) return true;
    return false;
  }
  return head.kind === IodType.ARRAY && extents.overlapping(head, { lo: 0n, hi: INDEX_MAX }, { lo, hi }).some(counts);
}

function someBelow(
  context: IterContext,
  type: VosIterType,
  space: number,
  parentNo: number,
  logOf: (value: Uint8Array) => IncarnationLog,
  above: LogState,
): boolean {
  const from = new IndexKey().space(space).u48(parentNo);
  const to = new IndexKey().space(space).u48(parentNo).toPrefixEnd();
  for (const { value } of context.store.umem.range({ from, to })) {
    const no = KeyRecord.no(viewOf(value));
    if (no === 0) continue;
    const state = new LogState().reset(above);
    logOf(value).parse(context.range.hi, context.bound, context.view, state);
    const isSeen = state.create !== 0n || context.showsPunched || (context.showsUncommitted && state.uncommitted !== 0n);
    if (isSeen && hasVersionIn(context, type, no, value, state)) return true;
  }
  return false;
}

function dkeyLog(value: Uint8Array): IncarnationLog {
  return IncarnationLog.decode(value, KeyRecord.FIXED_BYTES, KeyRecord.logCount(viewOf(value)));
}
