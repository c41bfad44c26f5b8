import { DaosError, IodType, QueryFlag, type Recx } from '@daos/common';

import { ownCopy, viewOf } from '../layout/bytes.js';
import { AkeyHead, DkeyHead, KeyRecord } from '../layout/head.js';
import { IncarnationLog, PunchMark } from '../layout/incarnation_log.js';
import { IndexKey } from '../layout/index_key.js';
import { checkKey } from '../layout/sort_key.js';
import { Space } from '../layout/spaces.js';
import type { Store } from '../store.js';
import type { VosQuery, VosQueryResult } from '../types.js';
import { scanExtents } from '../value/extent_scan.js';
import { INDEX_MAX } from '../value/extents.js';
import { checkReadEpoch } from './arguments.js';

type Found = Pick<VosQueryResult, 'dkey' | 'akey' | 'recx'>;

/**
 * Largest or smallest dkey, akey and extent that exist at an epoch. A key counts only when what is asked for
 * below it exists, too; otherwise the next one is tried.
 */
export class Query {
  constructor(
    private readonly store: Store,
    private readonly container: number,
  ) {}

  run(request: VosQuery): VosQueryResult {
    const { flags, epoch } = request;
    checkReadEpoch(epoch);
    const object = this.store.heads.findObject(this.container, request.oid);
    const maxWrite = object?.maxWrite ?? 0n;
    if (flags === 0) return { maxWrite };
    checkFlags(request);
    const punch = new PunchMark();
    if (object && object.log.visibleAt(epoch, punch) !== 0n) {
      this.store.heads.writeBack();
      const found = this.inObject(request, object.no, punch);
      if (found) return { ...found, maxWrite };
    }
    throw new DaosError('NONEXIST', 'nothing that qualifies');
  }

  private inObject(request: VosQuery, objectNo: number, punch: PunchMark): Found | undefined {
    const { flags, flavours, dkey } = request;
    if (!(flags & QueryFlag.DKEY)) {
      const head = this.store.heads.findDkey(objectNo, dkey as Uint8Array, flavours.dkey);
      if (!head || head.log.visibleAt(request.epoch, punch) === 0n) return undefined;
      return this.inDkey(request, head.no, punch);
    }
    for (const { value, mark } of this.candidates(request, Space.DKEY, objectNo, punch, dkeyLogOf)) {
      const found = this.inDkey(request, KeyRecord.no(viewOf(value)), mark);
      if (found) return { dkey: ownCopy(DkeyHead.keyOf(value)), ...found };
    }
    return undefined;
  }

  private inDkey(request: VosQuery, dkeyNo: number, punch: PunchMark): Found | undefined {
    const { flags, flavours, akey } = request;
    if (!(flags & (QueryFlag.AKEY | QueryFlag.RECX))) return {};
    if (!(flags & QueryFlag.AKEY)) {
      const head = this.store.heads.findAkey(dkeyNo, akey as Uint8Array, flavours.akey);
      if (!head || head.log.visibleAt(request.epoch, punch) === 0n) return undefined;
      return this.inAkey(request, head, punch);
    }
    for (const { value, mark } of this.candidates(request, Space.AKEY, dkeyNo, punch, AkeyHead.logOf)) {
      const found = this.inAkey(request, AkeyHead.decode(dkeyNo, value, 0, value, value), mark);
      if (found) return { akey: ownCopy(AkeyHead.keyOf(value)), ...found };
    }
    return undefined;
  }

  private inAkey(request: VosQuery, head: AkeyHead, punch: PunchMark): Found | undefined {
    if (!(request.flags & QueryFlag.RECX)) return {};
    if (head.kind !== IodType.ARRAY) return undefined;
    const descending = (request.flags & QueryFlag.MAX) !== 0;
    const from = descending ? INDEX_MAX : 0n;
    const [piece] = scanExtents(this.store.extents, { head, epoch: request.epoch, punch, from, descending, limit: 1 });
    if (!piece) return undefined;
    const recx: Recx = { idx: piece.lo, nr: piece.hi - piece.lo + 1n };
    return { recx };
  }

  /** Keys of a level that exist, from the wanted end on, each with the punch in force below it. */
  private *candidates(
    { flags, epoch }: VosQuery,
    space: number,
    parentNo: number,
    punch: PunchMark,
    logOf: (value: Uint8Array) => IncarnationLog,
  ): Generator<{ value: Uint8Array; mark: PunchMark }> {
    const from = new IndexKey().space(space).u48(parentNo);
    const to = new IndexKey().space(space).u48(parentNo).toPrefixEnd();
    for (const { value } of this.store.umem.range({ from, to, reverse: (flags & QueryFlag.MAX) !== 0 })) {
      const mark = new PunchMark();
      mark.epoch = punch.epoch;
      mark.minor = punch.minor;
      if (logOf(value).visibleAt(epoch, mark) !== 0n) yield { value, mark };
    }
  }
}

/** DER_INVAL for levels without a direction or the reverse, and for levels whose keys are no numbers. */
function checkFlags({ flags, flavours, dkey, akey }: VosQuery): void {
  const refuse = (why: string): never => {
    throw new DaosError('INVAL', why);
  };
  const isMax = (flags & QueryFlag.MAX) !== 0;
  const isMin = (flags & QueryFlag.MIN) !== 0;
  if (isMax === isMin) refuse('a query asks for either the maximum or the minimum');
  if (!(flags & (QueryFlag.DKEY | QueryFlag.AKEY | QueryFlag.RECX))) refuse('a query names at least one level');
  if (flags & QueryFlag.DKEY) {
    if (flavours.dkey !== 'uint64') refuse('only uint64 dkeys can be queried');
  } else if (!dkey) refuse('a query below dkeys names its dkey');
  else checkKey('dkey', dkey, flavours.dkey);
  if (flags & QueryFlag.AKEY) {
    if (flavours.akey !== 'uint64') refuse('only uint64 akeys can be queried');
  } else if (flags & QueryFlag.RECX) {
    if (!akey) refuse('a query of extents names its akey');
    else checkKey('akey', akey, flavours.akey);
  }
}

function dkeyLogOf(value: Uint8Array): IncarnationLog {
  return IncarnationLog.decode(value, KeyRecord.FIXED_BYTES, KeyRecord.logCount(viewOf(value)));
}
