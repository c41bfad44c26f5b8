import { Cond, DaosError, IodType, isDaosError, type Iod, type Recx } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxHandle } from '../dtx/handle.js';
import { LogState } from '../ilog/log_state.js';
import { EMPTY, hash32 } from '../layout/bytes.js';
import type { AkeyHead, DkeyHead, ObjectHead } from '../layout/head.js';
import { UNCLEAR } from '../layout/key_peek.js';
import { TsLevel } from '../ts/ts_level.js';
import type { IodChecksums, VosFetch, VosFetchedIod, VosLoan, VosPiece } from '../types.js';
import { wholeChunks } from '../value/chunks.js';
import type { ValueRecord } from '../value/value_record.js';
import type { VisiblePiece } from '../value/visibility.js';
import { checkIods, checkReadEpoch } from './arguments.js';
import { VosFlag } from './flags.js';
import { ReadScope } from './read_scope.js';
import { TS_SEED } from './update_space.js';

const SINGLE_RECX: Recx = { idx: 0n, nr: 1n };
const NO_PIECES: readonly VosPiece[] = [];
/** Fetches that look at keys only. */
const NO_DATA = VosFlag.FETCH_SET_TS_ONLY | VosFlag.FETCH_CHECK_EXISTENCE;

/** Reads at an epoch. */
export class Fetch {
  private readonly atObject = new LogState();
  private readonly atDkey = new LogState();
  private readonly atAkey = new LogState();
  /** Reads of the data file that a running fetch waits for. */
  private waits: Promise<void>[] = [];
  private loans: VosLoan[] | undefined;
  private readonly scope: ReadScope;

  constructor(private readonly container: Container) {
    this.scope = new ReadScope(container);
  }

  /**
   * What is seen of each iod; nothing there is no error but size 0. DER_NONEXIST when a condition asks for a
   * key that does not exist. In a transaction DER_TX_RESTART, and DER_INPROGRESS with the transactions to ask for in
   * the handle; without one, DER_INPROGRESS for what another server's transaction has prepared here.
   */
  run(request: VosFetch, handle?: DtxHandle): VosFetchedIod[] | Promise<VosFetchedIod[]> {
    checkReadEpoch(request.epoch);
    const { scope } = this;
    scope.begin(request.epoch, handle);
    this.waits = [];
    this.loans = request.loans;
    if (request.flags & NO_DATA) return this.lookOnly(request);
    checkIods(request.dkey, request.iods, request.flavours);
    try {
      const fetched = this.fetchAll(request);
      scope.succeed();
      return fetched;
    } catch (error) {
      throw scope.fail(error);
    }
  }

  private fetchAll(request: VosFetch): VosFetchedIod[] | Promise<VosFetchedIod[]> {
    const { flags, iods } = request;
    const dkeyNo = this.findDkey(request);
    if (this.scope.isTracked) this.touchAkeys(request, dkeyNo);
    if (dkeyNo === 0 && flags & Cond.DKEY_FETCH) throw new DaosError('NONEXIST', 'the dkey does not exist');
    const fetched: VosFetchedIod[] = [];
    let inProgress: unknown;
    for (const iod of iods) {
      const conditions = flags & Cond.PER_AKEY ? (iod.flags ?? 0) : flags;
      try {
        fetched.push(this.fetchIod(request, iod, dkeyNo, (conditions & Cond.AKEY_FETCH) !== 0));
      } catch (error) {
        // go on: the caller asks for all transactions that are in the way at once
        if (!isDaosError(error, 'INPROGRESS')) throw error;
        inProgress ??= error;
      }
    }
    if (inProgress !== undefined) throw inProgress as Error;
    const { waits } = this;
    return waits.length === 0 ? fetched : Promise.all(waits).then(() => fetched);
  }

  /** Notes a read of keys without reading values, or tells whether they exist (DER_NONEXIST). */
  private lookOnly(request: VosFetch): VosFetchedIod[] {
    const { flags, iods, oid, flavours } = request;
    const { scope } = this;
    const { heads } = this.container.store;
    const hasDkey = request.dkey.length > 0;
    try {
      const object = heads.findObject(this.container.no, oid);
      scope.touch(TsLevel.OBJECT, object, heads.objectHash(this.container.no, oid));
      const dkey = hasDkey && object ? heads.findDkey(object.no, request.dkey, flavours.dkey) : undefined;
      if (hasDkey) scope.touch(TsLevel.DKEY, dkey, hash32(request.dkey, TS_SEED));
      const akeys = iods.map(({ akey }) => dkey && heads.findAkey(dkey.no, akey, flavours.akey));
      iods.forEach(({ akey }, i) => scope.touch(TsLevel.AKEY, akeys[i], hash32(akey, TS_SEED)));
      scope.reads(iods.length > 0 ? TsLevel.AKEY : hasDkey ? TsLevel.DKEY : TsLevel.OBJECT);
      if (flags & VosFlag.FETCH_CHECK_EXISTENCE) this.checkExistence(object, hasDkey, dkey, akeys);
      scope.checkCertain();
      scope.succeed();
      return iods.map(({ type }) => ({ type, size: 0, pieces: NO_PIECES }));
    } catch (error) {
      throw scope.fail(error);
    }
  }

  private checkExistence(
    object: ObjectHead | undefined,
    hasDkey: boolean,
    dkey: DkeyHead | undefined,
    akeys: readonly (AkeyHead | undefined)[],
  ): void {
    const { scope } = this;
    if (!scope.sees(object, this.atObject.reset(undefined))) throw new DaosError('NONEXIST', 'the object does not exist');
    if (!hasDkey) return;
    if (!scope.sees(dkey, this.atDkey.reset(this.atObject))) throw new DaosError('NONEXIST', 'the dkey does not exist');
    for (const akey of akeys) {
      if (!scope.sees(akey, this.atAkey.reset(this.atDkey))) throw new DaosError('NONEXIST', 'the akey does not exist');
    }
  }

  /** Number of the dkey when it exists, else 0; its state is then in `atDkey`. */
  private findDkey({ oid, dkey, epoch, flavours }: VosFetch): number {
    const { heads, peek } = this.container.store;
    const { scope } = this;
    const object = heads.findObject(this.container.no, oid);
    scope.touch(TsLevel.OBJECT, object, heads.objectHash(this.container.no, oid));
    if (!object || !scope.sees(object, this.atObject.reset(undefined))) return this.noDkey(dkey);
    let head = heads.cachedDkey(object.no, dkey);
    if (!head && !scope.isTracked && this.atObject.punch.epoch === 0n) {
      const no = peek.dkeyNo(object.no, dkey, flavours.dkey, epoch);
      if (no !== UNCLEAR) {
        this.atDkey.reset(this.atObject);
        return no;
      }
    }
    head ??= heads.findDkey(object.no, dkey, flavours.dkey);
    scope.touch(TsLevel.DKEY, head, hash32(dkey, TS_SEED));
    return head && scope.sees(head, this.atDkey.reset(this.atObject)) ? head.no : 0;
  }

  private noDkey(dkey: Uint8Array): number {
    this.scope.touch(TsLevel.DKEY, undefined, hash32(dkey, TS_SEED));
    return 0;
  }

  private touchAkeys({ iods, flags, flavours }: VosFetch, dkeyNo: number): void {
    const { scope } = this;
    const { heads } = this.container.store;
    for (const { akey } of iods) {
      const head = dkeyNo === 0 ? undefined : heads.findAkey(dkeyNo, akey, flavours.akey);
      scope.touch(TsLevel.AKEY, head, hash32(akey, TS_SEED));
    }
    scope.reads(TsLevel.AKEY);
    if (flags & Cond.DKEY_FETCH) scope.reads(TsLevel.DKEY);
  }

  private fetchIod(request: VosFetch, iod: Iod, dkeyNo: number, mustExist: boolean): VosFetchedIod {
    const { type, akey: key } = iod;
    const { heads, peek } = this.container.store;
    const { epoch, flavours } = request;
    const state = this.atAkey.reset(this.atDkey);
    let head = dkeyNo === 0 ? undefined : heads.cachedAkey(dkeyNo, key);
    if (dkeyNo !== 0 && !head) {
      const isPlain = type === IodType.SINGLE && state.punch.epoch === 0n && this.scope.bound === epoch;
      const record = isPlain ? peek.single(dkeyNo, key, flavours.akey, epoch) : undefined;
      if (record) return this.singleOf(request, record);
      head = heads.findAkey(dkeyNo, key, flavours.akey);
    }
    const exists = this.scope.sees(head, state);
    if (!exists && mustExist) throw new DaosError('NONEXIST', 'the akey does not exist');
    // the other kind of value reads as if nothing were there
    if (!head || !exists || head.kind !== type) return { type, size: 0, pieces: NO_PIECES };
    if (type === IodType.ARRAY) return this.fetchArray(request, iod, head);
    const look = { hi: epoch, bound: this.scope.bound, punch: state.punch, viewer: this.scope.view };
    return this.singleOf(request, this.container.store.singles.find(head, look));
  }

  private singleOf({ flags, sizeOnly }: VosFetch, record: ValueRecord | undefined): VosFetchedIod {
    if (!record || record.isHole) return { type: IodType.SINGLE, size: 0, pieces: NO_PIECES };
    const isSizeOnly = sizeOnly === true || (flags & VosFlag.FETCH_SIZE_ONLY) !== 0;
    if (record.isCorrupted && !isSizeOnly) throw damaged(record);
    const piece: VosPiece = isSizeOnly
      ? { recx: SINGLE_RECX, epoch: record.epoch, data: EMPTY }
      : this.piece(record, SINGLE_RECX, SINGLE_RECX, 0, record.size, record.checksums);
    return { type: IodType.SINGLE, size: record.size, pieces: [piece] };
  }

  private fetchArray({ epoch, flags, sizeOnly }: VosFetch, iod: Iod, akey: AkeyHead): VosFetchedIod {
    const { extents } = this.container.store;
    const { punch } = this.atAkey;
    const isSizeOnly = sizeOnly === true || (flags & (VosFlag.FETCH_SIZE_ONLY | VosFlag.FETCH_RECX_LIST)) !== 0;
    const pieces: VosPiece[] = [];
    for (const { idx, nr } of iod.recxs) {
      if (nr === 0n) continue;
      const hi = idx + nr - 1n;
      if (this.scope.bound > epoch) this.checkCertain(akey, idx, hi);
      for (const seen of extents.visible(akey, idx, hi, epoch, punch, this.scope.view)) {
        if (!seen.record.isHole) pieces.push(this.arrayPiece(seen, isSizeOnly));
      }
    }
    return { type: IodType.ARRAY, size: pieces.length > 0 ? akey.recordSize : 0, pieces };
  }

  /** DER_TX_RESTART when an extent of the range may be older than this read. */
  private checkCertain(akey: AkeyHead, lo: bigint, hi: bigint): void {
    const { epoch, bound } = this.scope;
    if (akey.maxEpoch <= epoch) return;
    const [newer] = this.container.store.extents.overlapping(akey, { lo, hi }, { lo: epoch + 1n, hi: bound });
    if (newer) throw new DaosError('TX_RESTART', `an extent of epoch ${newer.epoch} may be older than this read at ${epoch}`);
  }

  private arrayPiece({ record, lo, hi }: VisiblePiece, sizeOnly: boolean): VosPiece {
    const recx = { idx: lo, nr: hi - lo + 1n };
    if (sizeOnly) return { recx, epoch: record.epoch, data: EMPTY };
    if (record.isCorrupted) throw damaged(record);
    const at = Number(lo - record.lo) * record.size;
    const bytes = Number(recx.nr) * record.size;
    if (!record.checksums) return this.piece(record, recx, recx, at, bytes, undefined);
    const whole = wholeChunks(record, record.checksums, lo, hi);
    const stored = { idx: whole.lo, nr: whole.hi - whole.lo + 1n };
    return this.piece(record, recx, stored, at, bytes, whole.checksums);
  }

  /** Reads `stored`, which contains `recx`, and shows the part of it that was asked for. */
  private piece(
    record: ValueRecord,
    recx: Recx,
    stored: Recx,
    at: number,
    bytes: number,
    checksums: IodChecksums | undefined,
  ): VosPiece {
    const from = record.isExtent ? Number(stored.idx - record.lo) * record.size : 0;
    const length = record.isExtent ? Number(stored.nr) * record.size : record.size;
    const piece: {
      recx: Recx;
      epoch: bigint;
      data: Uint8Array;
      stored?: { recx: Recx; data: Uint8Array; checksums: IodChecksums };
    } = { recx, epoch: record.epoch, data: EMPTY };
    const fill = (data: Uint8Array): void => {
      piece.data = data.length === bytes ? data : data.subarray(at - from, at - from + bytes);
      if (checksums) piece.stored = { recx: stored, data, checksums };
    };
    const read = this.container.store.data.read(record, from, length, this.loans);
    if (read instanceof Promise) this.waits.push(read.then(fill));
    else fill(read);
    return piece;
  }
}

function damaged({ epoch }: ValueRecord): DaosError {
  return new DaosError('CSUM', `the value of epoch ${epoch} was found damaged: read another replica, or write it again`);
}
