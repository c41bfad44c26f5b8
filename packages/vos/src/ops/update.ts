import { Cond, DaosError, IodType, type Iod } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxHandle } from '../dtx/handle.js';
import { Intent } from '../dtx/view.js';
import { EMPTY, hash32, ownCopy } from '../layout/bytes.js';
import type { AkeyHead, DkeyHead, Head, ObjectHead } from '../layout/head.js';
import { LogState } from '../ilog/log_state.js';
import { TsLevel } from '../ts/ts_level.js';
import type { IodChecksums, VosUpdate } from '../types.js';
import { chunkCount, recordsPerChunk } from '../value/chunks.js';
import { EXTENT_RECORDS_MAX } from '../value/extents.js';
import { ValueRecord, type DataPiece } from '../value/value_record.js';
import { checkDistinctAkeys, checkIods, checkOverlaps, checkValues, checkWriteEpoch } from './arguments.js';
import { checkSound } from './sound.js';
import { ALONGSIDE_BYTES_MAX, TS_SEED, UpdateSpace, type Place } from './update_space.js';
import { WriteScope } from './write_scope.js';

const DKEY_MUST_EXIST = Cond.DKEY_UPDATE | Cond.AKEY_UPDATE;
const DKEY_CONDITIONS = Cond.DKEY_INSERT | Cond.DKEY_UPDATE;
const AKEY_CONDITIONS = Cond.AKEY_INSERT | Cond.AKEY_UPDATE;

/** What the checks found out about an akey, for the writes that follow. */
interface AkeyFound {
  head: AkeyHead | undefined;
  readonly state: LogState;
  exists: boolean;
  /** Its place in the timestamp set. */
  tsPlace: number;
}

/**
 * One update: all checks first, then all writes, so that a refused one leaves no trace. Large values for the data
 * file are written and made durable before; the index is changed (and the checks made again) when that is done.
 */
export class Update {
  private object: ObjectHead | undefined;
  private readonly atObject = new LogState();
  private objectExists = false;
  private dkey: DkeyHead | undefined;
  private readonly atDkey = new LogState();
  private dkeyExists = false;
  private readonly akeys: AkeyFound[] = [];
  private objectTs = 0;
  private dkeyTs = 0;
  private readonly scope: WriteScope;
  private readonly space: UpdateSpace;

  constructor(private readonly container: Container) {
    this.scope = new WriteScope(container, Intent.UPDATE);
    this.space = new UpdateSpace(container.store);
  }

  /**
   * Resolves when the update is durable. DER_NOSPACE and what the checks of conditions and arguments throw; in a
   * transaction also DER_TX_RESTART and DER_INPROGRESS.
   */
  run(request: VosUpdate, handle?: DtxHandle): Promise<void> {
    checkWriteEpoch(request.epoch);
    checkIods(request.dkey, request.iods, request.flavours);
    checkDistinctAkeys(request.iods);
    checkValues(request.iods, request.values);
    const fileBytes = this.space.check(request);
    if (fileBytes > 0 && handle && !handle.isReal) throw new DaosError('NOTSUPPORTED', 'a value for the data file in a local transaction');
    const { umem } = this.container.store;
    this.scope.begin(request.epoch, handle);
    try {
      this.check(request);
      // what was checked is remembered in this object until it is applied: an update that waits needs its own
      if (fileBytes > ALONGSIDE_BYTES_MAX) return this.runWithFile(request);
      this.apply(request, fileBytes > 0 ? this.space.writeAlongside(request) : undefined);
    } catch (error) {
      throw this.scope.fail(error);
    }
    return umem.durable();
  }

  private async runWithFile(request: VosUpdate): Promise<void> {
    const own = new Update(this.container);
    own.scope.take(this.scope);
    try {
      await own.space.write(request, (places) => {
        // other updates went on meanwhile
        this.container.checkOpen();
        own.scope.resume();
        own.check(request);
        own.apply(request, places);
      });
    } catch (error) {
      throw own.scope.fail(error);
    }
    await this.container.store.umem.durable();
  }

  /** Everything that can refuse the update. Changes nothing but what this object remembers. */
  private check(request: VosUpdate): void {
    const { scope, container, atObject, atDkey } = this;
    const { heads } = container.store;
    const { flags, flavours, oid } = request;
    scope.touch(TsLevel.CONTAINER, container, container.no);
    const object = (this.object = heads.findObject(container.no, oid));
    this.objectTs = scope.touch(TsLevel.OBJECT, object, heads.objectHash(container.no, oid));
    container.checkWritable(object, scope);
    parse(object, atObject.reset(undefined), scope);
    this.objectExists = atObject.exists;
    const dkey = (this.dkey = object && heads.findDkey(object.no, request.dkey, flavours.dkey));
    this.dkeyTs = scope.touch(TsLevel.DKEY, dkey, hash32(request.dkey, TS_SEED));
    parse(dkey, atDkey.reset(atObject), scope);
    this.dkeyExists = this.objectExists && atDkey.exists;
    const dkeyFlags = flags & Cond.PER_AKEY ? flags & ~AKEY_CONDITIONS : flags;
    if (dkeyFlags & DKEY_CONDITIONS) scope.reads(TsLevel.DKEY);
    for (let i = 0; i < request.iods.length; i++) this.touchAkey(request, i);
    this.decide('dkey', dkeyFlags & Cond.DKEY_INSERT, dkeyFlags & DKEY_MUST_EXIST, this.dkeyExists, atDkey);
    if (object && !this.objectExists) checkLog(object, scope);
    if (dkey && !this.dkeyExists) checkLog(dkey, scope);
    for (let i = 0; i < request.iods.length; i++) this.checkIod(request, i);
    scope.checkConflict(TsLevel.AKEY);
  }

  private touchAkey({ flags, iods, flavours }: VosUpdate, i: number): void {
    const iod = iods[i] as Iod;
    const found = (this.akeys[i] ??= { head: undefined, state: new LogState(), exists: false, tsPlace: 0 });
    found.head = this.dkey && this.container.store.heads.findAkey(this.dkey.no, iod.akey, flavours.akey);
    found.tsPlace = this.scope.touch(TsLevel.AKEY, found.head, hash32(iod.akey, TS_SEED));
    const conditions = flags & Cond.PER_AKEY ? (iod.flags ?? 0) : flags;
    if (conditions & AKEY_CONDITIONS) this.scope.reads(TsLevel.AKEY);
  }

  private checkIod(request: VosUpdate, i: number): void {
    const { flags } = request;
    const { scope } = this;
    const iod = request.iods[i] as Iod;
    const found = this.akeys[i] as AkeyFound;
    const { head, state } = found;
    parse(head, state.reset(this.atDkey), scope);
    found.exists = this.dkeyExists && state.exists;
    const conditions = flags & Cond.PER_AKEY ? (iod.flags ?? 0) : flags;
    this.decide('akey', conditions & Cond.AKEY_INSERT, conditions & Cond.AKEY_UPDATE, found.exists, state);
    checkOverlaps(iod);
    if (!head) return;
    if (!found.exists) checkLog(head, scope);
    if (head.kind !== IodType.NONE && head.kind !== iod.type) {
      throw new DaosError('NO_PERM', `the akey holds ${head.kind === IodType.SINGLE ? 'a single value' : 'an array'}`);
    }
    if (iod.type === IodType.SINGLE) return;
    for (const { idx, nr } of iod.recxs) {
      if (nr > 0n) this.container.store.extents.check(head, { lo: idx, hi: idx + nr - 1n, epoch: scope.epoch, minor: scope.minor, bound: scope.bound, size: iod.size });
    }
  }

  /** Refuses an update whose condition is not met, or depends on an open transaction. */
  private decide(what: string, mustNotExist: number, mustExist: number, exists: boolean, state: LogState): void {
    if ((mustNotExist || mustExist) && state.isUndecided) {
      throw new DaosError('INPROGRESS', `whether the ${what} exists depends on a transaction that is not decided yet`);
    }
    if (exists && mustNotExist) throw new DaosError('EXIST', `the ${what} exists`);
    if (exists) return;
    if (state.uncertainCreate !== 0n) throw new DaosError('TX_RESTART', `the ${what} may have been created before this operation`);
    if (mustExist) throw new DaosError('NONEXIST', `the ${what} does not exist`);
  }

  private apply(request: VosUpdate, places: readonly Place[] | undefined): void {
    const { scope, container } = this;
    const { heads } = container.store;
    const { epoch } = scope;
    const { flavours, oid } = request;
    scope.apply(oid, request.dkey);
    container.wrote(epoch);
    const object = this.object ?? this.made(heads.newObject(container.no, oid), this.objectTs);
    if (!this.object) container.objectMade(scope);
    if (!this.objectExists) scope.log(object, false);
    if (epoch > object.maxWrite) {
      object.maxWrite = epoch;
      heads.modified(object);
    }
    const dkey = this.dkey ?? this.made(heads.newDkey(object.no, request.dkey, flavours.dkey), this.dkeyTs);
    if (!this.dkeyExists) scope.log(dkey, false);
    const nextPlace = places?.[Symbol.iterator]();
    for (let i = 0; i < request.iods.length; i++) {
      const iod = request.iods[i] as Iod;
      const { head, exists, tsPlace } = this.akeys[i] as AkeyFound;
      const akey = head ?? this.made(heads.newAkey(dkey.no, iod.akey, flavours.akey), tsPlace);
      if (!exists) scope.log(akey, false);
      const sums = request.checksums?.[i];
      const value = request.values[i] ?? EMPTY;
      if (iod.type === IodType.SINGLE) this.applySingle(iod, akey, value, sums, nextPlace);
      else this.applyArray(iod, akey, value, sums, nextPlace);
      heads.modified(akey);
    }
    scope.succeed();
  }

  private made<H extends Head>(head: H, tsPlace: number): H {
    this.scope.created(tsPlace, head);
    return head;
  }

  private applySingle(
    iod: Iod,
    akey: AkeyHead,
    value: Uint8Array,
    sums: IodChecksums | undefined,
    places: Iterator<Place> | undefined,
  ): void {
    const { scope } = this;
    const { epoch, minor, owner } = scope;
    akey.kind = IodType.SINGLE;
    const pieces = iod.size === 0 ? undefined : this.publishNext(places);
    const data = iod.size === 0 || pieces ? EMPTY : ownCopy(value);
    const stored = iod.size === 0 || !sums ? undefined : { ...sums, bytes: ownCopy(sums.bytes) };
    const record = new ValueRecord(epoch, minor, iod.size, 0n, 0n, false, pieces?.[0]?.block ?? -1, stored, data);
    this.container.store.singles.write(akey, stateOf(record, owner, pieces));
    if (owner !== 0) scope.record({ kind: 'single', place: akey, epoch, minor, lo: 0n, hi: 0n });
  }

  private applyArray(
    iod: Iod,
    akey: AkeyHead,
    value: Uint8Array,
    sums: IodChecksums | undefined,
    places: Iterator<Place> | undefined,
  ): void {
    const { epoch, minor, owner } = this.scope;
    akey.kind = IodType.ARRAY;
    let at = 0;
    let sumsAt = 0;
    for (const { idx, nr } of iod.recxs) {
      if (nr === 0n) continue;
      const hi = idx + nr - 1n;
      if (iod.size === 0) {
        this.punchExtent(akey, idx, hi);
        continue;
      }
      const bytes = Number(nr) * iod.size;
      const pieces = this.publishNext(places);
      const data = pieces ? EMPTY : ownCopy(value.subarray(at, at + bytes));
      at += bytes;
      let stored: IodChecksums | undefined;
      if (sums) {
        const length = chunkCount(idx, hi, recordsPerChunk(sums.chunkBytes, iod.size)) * sums.length;
        stored = { ...sums, bytes: ownCopy(sums.bytes.subarray(sumsAt, sumsAt + length)) };
        sumsAt += length;
      }
      const record = new ValueRecord(epoch, minor, iod.size, idx, hi, true, pieces?.[0]?.block ?? -1, stored, data);
      this.writeExtent(akey, stateOf(record, owner, pieces));
    }
  }

  private punchExtent(akey: AkeyHead, lo: bigint, hi: bigint): void {
    const { epoch, minor, owner, view } = this.scope;
    const { extents } = this.container.store;
    if (hi - lo < EXTENT_RECORDS_MAX) return this.writeExtent(akey, ValueRecord.hole(epoch, minor, lo, hi, owner));
    // too wide for one record: only what is there is covered
    const punch = this.atDkey.punch;
    for (const piece of extents.visible(akey, lo, hi, epoch, punch, view)) {
      if (!piece.record.isHole) this.writeExtent(akey, ValueRecord.hole(epoch, minor, piece.lo, piece.hi, owner));
    }
  }

  private writeExtent(akey: AkeyHead, record: ValueRecord): void {
    this.container.store.extents.write(akey, record);
    const { lo, hi, epoch, minor } = record;
    if (record.owner !== 0) this.scope.record({ kind: 'extent', place: akey, epoch, minor, lo, hi });
  }

  private publishNext(places: Iterator<Place> | undefined): readonly DataPiece[] | undefined {
    const next = places?.next();
    if (!next || next.done || !next.value) return undefined;
    return this.space.publish(next.value);
  }
}

/** Reads a level's log; nothing is there when the level is not. DER_DATA_LOSS when it is marked corrupt. */
function parse(head: Head | undefined, state: LogState, { epoch, bound, view }: WriteScope): void {
  if (!head) return;
  checkSound(head);
  head.log.parse(epoch, bound, view, state);
}

/** Refuses an epoch at which the log cannot take an update. */
function checkLog(head: Head, { epoch, minor, identity }: WriteScope): void {
  head.log.decide({ epoch, minor, isPunch: false, owner: identity, lo: epoch });
}

function stateOf(record: ValueRecord, owner: number, pieces: readonly DataPiece[] | undefined): ValueRecord {
  const isGang = pieces !== undefined && pieces.length > 1;
  if (owner === 0 && !isGang) return record;
  return record.with({ owner, ...(isGang ? { pieces } : {}) });
}
