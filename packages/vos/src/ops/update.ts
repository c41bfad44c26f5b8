import type { VeaReservation } from '@daos/vea';
import { Cond, DaosError, IodType, type Iod, type Recx } from '@daos/common';

import { EMPTY, ownCopy } from '../layout/bytes.js';
import type { AkeyHead, DkeyHead, ObjectHead } from '../layout/head.js';
import { MINOR_MAX, PunchMark } from '../layout/incarnation_log.js';
import { SPACE_PER_UPDATE_BYTES, SPACE_PER_VALUE_BYTES } from '../space.js';
import type { Store } from '../store.js';
import type { IodChecksums, VosUpdate } from '../types.js';
import { chunkCount, recordsPerChunk } from '../value/chunks.js';
import { EXTENT_RECORDS_MAX } from '../value/extents.js';
import { ValueRecord } from '../value/value_record.js';
import { checkDistinctAkeys, checkIods, checkValues, checkWriteEpoch } from './arguments.js';

const DKEY_MUST_EXIST = Cond.DKEY_UPDATE | Cond.AKEY_UPDATE;

/** Space for one value or extent in the data file; undefined: it goes into the index. */
type Place = VeaReservation | undefined;

/** The container of the update: it may be closed while data is being written. */
export interface OpenContainer {
  readonly no: number;
  /** Throws DER_NO_HDL when it is not open any more. */
  checkOpen(): void;
}

/** What the checks found out about an akey, for the writes that follow. */
interface AkeyState {
  head: AkeyHead | undefined;
  exists: boolean;
}

/**
 * One update: all checks first, then all writes, so that a refused one leaves no trace. Values for the data
 * file are written and made durable before; the index is changed (and the checks made again) when that is
 * done.
 */
export class Update {
  private object: ObjectHead | undefined;
  private objectExists = false;
  private dkey: DkeyHead | undefined;
  private dkeyExists = false;
  private readonly akeys: AkeyState[] = [];
  private readonly punch = new PunchMark();
  private readonly akeyPunch = new PunchMark();

  constructor(
    private readonly store: Store,
    private readonly container: OpenContainer,
  ) {}

  /**
   * Resolves when the update is durable. DER_NOSPACE and what the checks of conditions and arguments throw.
   */
  run(request: VosUpdate): Promise<void> {
    checkWriteEpoch(request.epoch);
    checkIods(request.dkey, request.iods, request.flavours);
    checkDistinctAkeys(request.iods);
    checkValues(request.iods, request.values);
    const { indexBytes, needsFile } = this.spaceNeeded(request);
    this.store.space.checkUpdate(indexBytes);
    this.check(request);
    // what was checked is remembered in this object until it is applied: an update that waits needs its own
    if (needsFile) return new Update(this.store, this.container).runWithFile(request);
    this.apply(request, undefined);
    return this.store.umem.durable();
  }

  private async runWithFile(request: VosUpdate): Promise<void> {
    const { data } = this.store;
    const places: Place[] = [];
    const reserved: VeaReservation[] = [];
    const writes: Promise<void>[] = [];
    try {
      forEachValue(request, (bytes) => {
        const place = data.takes(bytes.length) ? data.reserve(bytes.length) : undefined;
        places.push(place);
        if (!place) return;
        reserved.push(place);
        writes.push(data.write(place, bytes));
      });
      writes.push(data.flush());
      await Promise.all(writes);
      // other updates went on meanwhile
      this.container.checkOpen();
      this.check(request);
    } catch (error) {
      // a block may be handed out again only when nothing is on its way to it
      await Promise.allSettled(writes);
      data.cancel(reserved);
      throw error;
    }
    this.apply(request, places);
    await this.store.umem.durable();
  }

  private spaceNeeded({ dkey, iods, checksums }: VosUpdate): { indexBytes: number; needsFile: boolean } {
    let indexBytes = SPACE_PER_UPDATE_BYTES + dkey.length;
    let needsFile = false;
    for (let i = 0; i < iods.length; i++) {
      const iod = iods[i] as Iod;
      indexBytes += SPACE_PER_VALUE_BYTES + iod.akey.length + (checksums?.[i]?.bytes.length ?? 0);
      if (iod.type === IodType.ARRAY) indexBytes += SPACE_PER_VALUE_BYTES * iod.recxs.length;
      if (iod.size === 0) continue;
      if (iod.type === IodType.SINGLE) {
        if (this.store.data.takes(iod.size)) needsFile = true;
        else indexBytes += iod.size;
        continue;
      }
      for (const { nr } of iod.recxs) {
        const bytes = Number(nr) * iod.size;
        if (this.store.data.takes(bytes)) needsFile = true;
        else indexBytes += bytes;
      }
    }
    return { indexBytes, needsFile };
  }

  /** Everything that can refuse the update. Changes nothing but what this object remembers. */
  private check(request: VosUpdate): void {
    const { heads } = this.store;
    const { epoch, flags, flavours } = request;
    const punch = this.punch.reset();
    this.object = heads.findObject(this.container.no, request.oid);
    this.objectExists = this.object !== undefined && this.object.log.visibleAt(epoch, punch) !== 0n;
    this.dkey = this.object && heads.findDkey(this.object.no, request.dkey, flavours.dkey);
    this.dkeyExists = this.dkey !== undefined && this.dkey.log.visibleAt(epoch, punch) !== 0n && this.objectExists;
    const dkeyFlags = flags & Cond.PER_AKEY ? flags & ~(Cond.AKEY_INSERT | Cond.AKEY_UPDATE) : flags;
    if (this.dkeyExists ? dkeyFlags & Cond.DKEY_INSERT : dkeyFlags & DKEY_MUST_EXIST) refuseCondition('dkey', this.dkeyExists);
    if (this.object && !this.objectExists) this.object.log.checkUpdate(epoch, MINOR_MAX);
    if (this.dkey && !this.dkeyExists) this.dkey.log.checkUpdate(epoch, MINOR_MAX);
    for (let i = 0; i < request.iods.length; i++) this.checkIod(request, i);
  }

  private checkIod(request: VosUpdate, i: number): void {
    const { epoch, flags } = request;
    const iod = request.iods[i] as Iod;
    const state = (this.akeys[i] ??= { head: undefined, exists: false });
    const { punch, akeyPunch } = this;
    akeyPunch.epoch = punch.epoch;
    akeyPunch.minor = punch.minor;
    const head = this.dkey && this.store.heads.findAkey(this.dkey.no, iod.akey, request.flavours.akey);
    state.head = head;
    state.exists = head !== undefined && head.log.visibleAt(epoch, akeyPunch) !== 0n && this.dkeyExists;
    const conditions = flags & Cond.PER_AKEY ? (iod.flags ?? 0) : flags;
    if (state.exists ? conditions & Cond.AKEY_INSERT : conditions & Cond.AKEY_UPDATE) refuseCondition('akey', state.exists);
    if (!head) return checkOverlaps(iod);
    if (!state.exists) head.log.checkUpdate(epoch, MINOR_MAX);
    if (head.kind !== IodType.NONE && head.kind !== iod.type) {
      throw new DaosError('NO_PERM', `the akey holds ${head.kind === IodType.SINGLE ? 'a single value' : 'an array'}`);
    }
    if (iod.type === IodType.SINGLE) return;
    if (iod.size > 0 && head.recordSize > 0 && head.recordSize !== iod.size) {
      throw new DaosError('INVAL', `records of ${iod.size} bytes in an array of records of ${head.recordSize}`);
    }
    checkOverlaps(iod);
    for (const { idx, nr } of iod.recxs) {
      if (nr > 0n) this.store.extents.check(head, idx, idx + nr - 1n, epoch, MINOR_MAX);
    }
  }

  private apply(request: VosUpdate, places: readonly Place[] | undefined): void {
    const { heads } = this.store;
    const { epoch, flavours } = request;
    const object = this.object ?? heads.newObject(this.container.no, request.oid);
    if (!this.objectExists) object.log.update(epoch, MINOR_MAX);
    if (epoch > object.maxWrite || !this.objectExists) {
      if (epoch > object.maxWrite) object.maxWrite = epoch;
      heads.modified(object);
    }
    const dkey = this.dkey ?? heads.newDkey(object.no, request.dkey, flavours.dkey);
    if (!this.dkeyExists) {
      dkey.log.update(epoch, MINOR_MAX);
      heads.modified(dkey);
    }
    const nextPlace = places?.[Symbol.iterator]();
    for (let i = 0; i < request.iods.length; i++) {
      const iod = request.iods[i] as Iod;
      const { head, exists } = this.akeys[i] as AkeyState;
      const akey = head ?? heads.newAkey(dkey.no, iod.akey, flavours.akey);
      if (!exists) akey.log.update(epoch, MINOR_MAX);
      const sums = request.checksums?.[i];
      const value = request.values[i] ?? EMPTY;
      if (iod.type === IodType.SINGLE) this.applySingle(request, iod, akey, value, sums, nextPlace);
      else this.applyArray(request, iod, akey, value, sums, nextPlace);
      heads.modified(akey);
    }
  }

  private applySingle(
    { epoch }: VosUpdate,
    iod: Iod,
    akey: AkeyHead,
    value: Uint8Array,
    sums: IodChecksums | undefined,
    places: Iterator<Place> | undefined,
  ): void {
    akey.kind = IodType.SINGLE;
    const block = iod.size === 0 ? -1 : this.publishNext(places);
    const data = iod.size === 0 || block >= 0 ? EMPTY : ownCopy(value);
    const stored = iod.size === 0 || !sums ? undefined : { ...sums, bytes: ownCopy(sums.bytes) };
    this.store.singles.write(akey, new ValueRecord(epoch, MINOR_MAX, iod.size, 0n, 0n, false, block, stored, data));
  }

  private applyArray(
    { epoch }: VosUpdate,
    iod: Iod,
    akey: AkeyHead,
    value: Uint8Array,
    sums: IodChecksums | undefined,
    places: Iterator<Place> | undefined,
  ): void {
    akey.kind = IodType.ARRAY;
    const { extents } = this.store;
    let at = 0;
    let sumsAt = 0;
    for (const { idx, nr } of iod.recxs) {
      if (nr === 0n) continue;
      const hi = idx + nr - 1n;
      if (iod.size === 0) {
        this.punchExtent(akey, idx, hi, epoch);
        continue;
      }
      const bytes = Number(nr) * iod.size;
      const block = this.publishNext(places);
      const data = block >= 0 ? EMPTY : ownCopy(value.subarray(at, at + bytes));
      at += bytes;
      let stored: IodChecksums | undefined;
      if (sums) {
        const length = chunkCount(idx, hi, recordsPerChunk(sums.chunkBytes, iod.size)) * sums.length;
        stored = { ...sums, bytes: ownCopy(sums.bytes.subarray(sumsAt, sumsAt + length)) };
        sumsAt += length;
      }
      extents.write(akey, new ValueRecord(epoch, MINOR_MAX, iod.size, idx, hi, true, block, stored, data));
    }
  }

  private punchExtent(akey: AkeyHead, lo: bigint, hi: bigint, epoch: bigint): void {
    const { extents } = this.store;
    const hole = (from: bigint, to: bigint): void =>
      extents.write(akey, new ValueRecord(epoch, MINOR_MAX, 0, from, to, true, -1, undefined, EMPTY));
    if (hi - lo < EXTENT_RECORDS_MAX) return hole(lo, hi);
    // too wide for one record: only what is there is covered
    for (const piece of extents.visible(akey, lo, hi, epoch, this.punch.reset())) {
      if (!piece.record.isHole) hole(piece.lo, piece.hi);
    }
  }

  private publishNext(places: Iterator<Place> | undefined): number {
    if (!places) return -1;
    const next = places.next();
    if (next.done || !next.value) return -1;
    this.store.data.publish(next.value);
    return next.value.offset;
  }
}

/** Calls back with the bytes of each single value and each extent, in the order in which places are used. */
function forEachValue({ iods, values }: VosUpdate, visit: (bytes: Uint8Array) => void): void {
  for (let i = 0; i < iods.length; i++) {
    const iod = iods[i] as Iod;
    const value = values[i] ?? EMPTY;
    if (iod.size === 0) continue;
    if (iod.type === IodType.SINGLE) {
      visit(value);
      continue;
    }
    let at = 0;
    for (const { nr } of iod.recxs) {
      const bytes = Number(nr) * iod.size;
      if (bytes > 0) visit(value.subarray(at, at + bytes));
      at += bytes;
    }
  }
}

/** DER_VOS_PARTIAL_UPDATE when extents of one iod overlap without being identical. */
function checkOverlaps(iod: Iod): void {
  if (iod.recxs.length < 2) return;
  const sorted: readonly Recx[] = iod.recxs.filter(({ nr }) => nr > 0n).sort((a, b) => (a.idx < b.idx ? -1 : a.idx > b.idx ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1] as Recx;
    const recx = sorted[i] as Recx;
    if (before.idx + before.nr > recx.idx && !(before.idx === recx.idx && before.nr === recx.nr)) {
      throw new DaosError('VOS_PARTIAL_UPDATE', 'extents of one update overlap');
    }
  }
}

function refuseCondition(what: string, exists: boolean): never {
  throw exists ? new DaosError('EXIST', `the ${what} exists`) : new DaosError('NONEXIST', `the ${what} does not exist`);
}
