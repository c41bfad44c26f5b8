import { Cond, DaosError, IodType, type Iod, type Recx } from '@daos/common';

import { EMPTY } from '../layout/bytes.js';
import type { AkeyHead } from '../layout/head.js';
import { PunchMark } from '../layout/incarnation_log.js';
import { UNCLEAR } from '../layout/key_peek.js';
import type { Store } from '../store.js';
import type { IodChecksums, VosFetch, VosFetchedIod, VosPiece } from '../types.js';
import { wholeChunks } from '../value/chunks.js';
import type { ValueRecord } from '../value/value_record.js';
import type { VisiblePiece } from '../value/visibility.js';
import { checkIods, checkReadEpoch } from './arguments.js';

const SINGLE_RECX: Recx = { idx: 0n, nr: 1n };
const NO_PIECES: readonly VosPiece[] = [];

/** Reads at an epoch. */
export class Fetch {
  private readonly punch = new PunchMark();
  private readonly akeyPunch = new PunchMark();
  /** Reads of the data file that a running fetch waits for. */
  private waits: Promise<void>[] = [];

  constructor(
    private readonly store: Store,
    private readonly container: number,
  ) {}

  /**
   * What is seen of each iod; nothing there is no error but size 0. DER_NONEXIST when a condition asks for a
   * key that does not exist.
   */
  run(request: VosFetch): VosFetchedIod[] | Promise<VosFetchedIod[]> {
    const { epoch, flags, flavours, iods } = request;
    checkReadEpoch(epoch);
    checkIods(request.dkey, iods, flavours);
    const dkeyNo = this.findDkey(request);
    if (dkeyNo === 0 && flags & Cond.DKEY_FETCH) throw new DaosError('NONEXIST', 'the dkey does not exist');
    this.waits = [];
    const fetched: VosFetchedIod[] = [];
    for (const iod of iods) {
      const conditions = flags & Cond.PER_AKEY ? (iod.flags ?? 0) : flags;
      fetched.push(this.fetchIod(request, iod, dkeyNo, (conditions & Cond.AKEY_FETCH) !== 0));
    }
    const { waits } = this;
    return waits.length === 0 ? fetched : Promise.all(waits).then(() => fetched);
  }

  /** Number of the dkey when it exists at the request's epoch, else 0; `punch` is then its punch. */
  private findDkey({ oid, dkey, epoch, flavours }: VosFetch): number {
    const { heads, peek } = this.store;
    const punch = this.punch.reset();
    const object = heads.findObject(this.container, oid);
    if (!object || object.log.visibleAt(epoch, punch) === 0n) return 0;
    let head = heads.cachedDkey(object.no, dkey);
    if (!head && punch.epoch === 0n) {
      const no = peek.dkeyNo(object.no, dkey, flavours.dkey, epoch);
      if (no !== UNCLEAR) return no;
    }
    head ??= heads.findDkey(object.no, dkey, flavours.dkey);
    return head && head.log.visibleAt(epoch, punch) !== 0n ? head.no : 0;
  }

  private fetchIod(request: VosFetch, iod: Iod, dkeyNo: number, mustExist: boolean): VosFetchedIod {
    const { type, akey: key } = iod;
    const { heads, peek } = this.store;
    const { epoch, flavours } = request;
    const { punch, akeyPunch } = this;
    akeyPunch.epoch = punch.epoch;
    akeyPunch.minor = punch.minor;
    let head = dkeyNo === 0 ? undefined : heads.cachedAkey(dkeyNo, key);
    if (dkeyNo !== 0 && !head) {
      const isPlain = type === IodType.SINGLE && punch.epoch === 0n;
      const record = isPlain ? peek.single(dkeyNo, key, flavours.akey, epoch) : undefined;
      if (record) return this.singleOf(request, record);
      head = heads.findAkey(dkeyNo, key, flavours.akey);
    }
    const exists = head !== undefined && head.log.visibleAt(epoch, akeyPunch) !== 0n;
    if (!exists && mustExist) throw new DaosError('NONEXIST', 'the akey does not exist');
    // the other kind of value reads as if nothing were there
    if (!head || !exists || head.kind !== type) return { type, size: 0, pieces: NO_PIECES };
    if (type === IodType.ARRAY) return this.fetchArray(request, iod, head);
    return this.singleOf(request, this.store.singles.find(head, epoch, akeyPunch));
  }

  private singleOf({ sizeOnly }: VosFetch, record: ValueRecord | undefined): VosFetchedIod {
    if (!record || record.isHole) return { type: IodType.SINGLE, size: 0, pieces: NO_PIECES };
    const piece: VosPiece = sizeOnly
      ? { recx: SINGLE_RECX, epoch: record.epoch, data: EMPTY }
      : this.piece(record, SINGLE_RECX, SINGLE_RECX, 0, record.size, record.checksums);
    return { type: IodType.SINGLE, size: record.size, pieces: [piece] };
  }

  private fetchArray({ epoch, sizeOnly }: VosFetch, iod: Iod, akey: AkeyHead): VosFetchedIod {
    const pieces: VosPiece[] = [];
    for (const { idx, nr } of iod.recxs) {
      if (nr === 0n) continue;
      for (const seen of this.store.extents.visible(akey, idx, idx + nr - 1n, epoch, this.akeyPunch)) {
        if (!seen.record.isHole) pieces.push(this.arrayPiece(seen, sizeOnly === true));
      }
    }
    return { type: IodType.ARRAY, size: pieces.length > 0 ? akey.recordSize : 0, pieces };
  }

  private arrayPiece({ record, lo, hi }: VisiblePiece, sizeOnly: boolean): VosPiece {
    const recx = { idx: lo, nr: hi - lo + 1n };
    if (sizeOnly) return { recx, epoch: record.epoch, data: EMPTY };
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
    const read = this.store.data.read(record, from, length);
    if (read instanceof Promise) this.waits.push(read.then(fill));
    else fill(read);
    return piece;
  }
}
