import { DaosError, IodType, QueryFlag, type Recx } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxHandle } from '../dtx/handle.js';
import { hash32, ownCopy, viewOf } from '../layout/bytes.js';
import { AkeyHead, DkeyHead, KeyRecord, type ObjectHead } from '../layout/head.js';
import { IncarnationLog } from '../ilog/incarnation_log.js';
import { LogState } from '../ilog/log_state.js';
import { IndexKey } from '../layout/index_key.js';
import { checkKey } from '../layout/sort_key.js';
import { Space } from '../layout/spaces.js';
import { TsLevel } from '../ts/ts_level.js';
import type { VosQuery, VosQueryResult } from '../types.js';
import { scanExtents } from '../value/extent_scan.js';
import { INDEX_MAX } from '../value/extents.js';
import { checkReadEpoch } from './arguments.js';
import { ReadScope } from './read_scope.js';
import { TS_SEED } from './update_space.js';

type Found = Pick<VosQueryResult, 'dkey' | 'akey' | 'recx'>;

/**
 * Largest or smallest dkey, akey and extent that exist at an epoch. A key counts only when what is asked for
 * below it exists, too; otherwise the next one is tried.
 */
export class Query {
  private readonly scope: ReadScope;

  constructor(private readonly container: Container) {
    this.scope = new ReadScope(container);
  }

  run(request: VosQuery, handle?: DtxHandle): VosQueryResult {
    const { flags, epoch } = request;
    checkReadEpoch(epoch);
    const { heads } = this.container.store;
    const object = heads.findObject(this.container.no, request.oid);
    const maxWrite = object?.maxWrite ?? 0n;
    if (flags === 0) return { maxWrite };
    checkFlags(request);
    const { scope } = this;
    scope.begin(epoch, handle);
    try {
      this.touchPath(request, object);
      const state = new LogState();
      const found = scope.sees(object, state) && object ? this.inObject(request, object.no, state) : undefined;
      scope.checkCertain();
      if (!found) throw new DaosError('NONEXIST', 'nothing that qualifies');
      scope.succeed();
      return { ...found, maxWrite };
    } catch (error) {
      throw scope.fail(error);
    }
  }

  /** What a query looks through is read as a whole. */
  private touchPath({ flags, flavours, oid, dkey, akey }: VosQuery, object: ObjectHead | undefined): void {
    const { scope, container } = this;
    if (!scope.isTracked) return;
    const { heads } = container.store;
    scope.touch(TsLevel.OBJECT, object, heads.objectHash(container.no, oid));
    scope.reads(flags & QueryFlag.DKEY ? TsLevel.OBJECT : flags & QueryFlag.AKEY ? TsLevel.DKEY : TsLevel.AKEY);
    if (flags & QueryFlag.DKEY || !dkey) return;
    const head = object && heads.findDkey(object.no, dkey, flavours.dkey);
    scope.touch(TsLevel.DKEY, head, hash32(dkey, TS_SEED));
    if (flags & QueryFlag.AKEY || !akey) return;
    scope.touch(TsLevel.AKEY, head && heads.findAkey(head.no, akey, flavours.akey), hash32(akey, TS_SEED));
  }

  private inObject(request: VosQuery, objectNo: number, above: LogState): Found | undefined {
    const { flags, flavours, dkey } = request;
    const { heads } = this.container.store;
    heads.writeBack();
    if (!(flags & QueryFlag.DKEY)) {
      const head = heads.findDkey(objectNo, dkey as Uint8Array, flavours.dkey);
      const state = new LogState().reset(above);
      return head && this.scope.sees(head, state) ? this.inDkey(request, head.no, state) : undefined;
    }
    for (const { value, state } of this.candidates(request, Space.DKEY, objectNo, above, dkeyLogOf)) {
      const found = this.inDkey(request, KeyRecord.no(viewOf(value)), state);
      if (found) return { dkey: ownCopy(DkeyHead.keyOf(value)), ...found };
    }
    return undefined;
  }

  private inDkey(request: VosQuery, dkeyNo: number, above: LogState): Found | undefined {
    const { flags, flavours, akey } = request;
    if (!(flags & (QueryFlag.AKEY | QueryFlag.RECX))) return {};
    if (!(flags & QueryFlag.AKEY)) {
      const head = this.container.store.heads.findAkey(dkeyNo, akey as Uint8Array, flavours.akey);
      const state = new LogState().reset(above);
      return head && this.scope.sees(head, state) ? this.inAkey(request, head, state) : undefined;
    }
    for (const { value, state } of this.candidates(request, Space.AKEY, dkeyNo, above, AkeyHead.logOf)) {
      const found = this.inAkey(request, AkeyHead.decode(dkeyNo, value, 0, value, value), state);
      if (found) return { akey: ownCopy(AkeyHead.keyOf(value)), ...found };
    }
    return undefined;
  }

  private inAkey(request: VosQuery, head: AkeyHead, { punch }: LogState): Found | undefined {
    if (!(request.flags & QueryFlag.RECX)) return {};
    if (head.kind !== IodType.ARRAY) return undefined;
    const { view } = this.scope;
    const descending = (request.flags & QueryFlag.MAX) !== 0;
    const from = descending ? INDEX_MAX : 0n;
    const scan = { head, epoch: request.epoch, punch, viewer: view, from, descending, limit: 1 };
    const [piece] = scanExtents(this.container.store.extents, scan);
    if (!piece) return undefined;
    const recx: Recx = { idx: piece.lo, nr: piece.hi - piece.lo + 1n };
    return { recx };
  }

  /** Keys of a level that exist, from the wanted end on, each with what is in force below it. */
  private *candidates(
    { flags }: VosQuery,
    space: number,
    parentNo: number,
    above: LogState,
    logOf: (value: Uint8Array) => IncarnationLog,
  ): Generator<{ value: Uint8Array; state: LogState }> {
    const { epoch, bound, view } = this.scope;
    const from = new IndexKey().space(space).u48(parentNo);
    const to = new IndexKey().space(space).u48(parentNo).toPrefixEnd();
    for (const { value } of this.container.store.umem.range({ from, to, reverse: (flags & QueryFlag.MAX) !== 0 })) {
      const state = new LogState().reset(above);
      logOf(value).parse(epoch, bound, view, state);
      if (state.create !== 0n) yield { value, state };
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
