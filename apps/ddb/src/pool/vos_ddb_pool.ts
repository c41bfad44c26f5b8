import {
  DaosError,
  EPOCH_MAX,
  Hlc,
  IodType,
  isDaosError,
  objectIdType,
  objectTypeFlavours,
  type Epoch,
  type Iod,
  type UnitOid,
  type Uuid,
} from '@daos/common';
import { assert } from '@daos/gurt';
import {
  vosDtxActive,
  vosDtxCommitted,
  vosDtxDiscardInvalid,
  vosFreeRegionAdd,
  vosFreeRegions,
  vosLogClear,
  vosLogCommit,
  vosLogEntries,
  type DtxId,
  type KeyFlavours,
  type VosContainer,
  type VosFetchedIod,
  type VosLogPlace,
  type VosPage,
  type VosPool,
} from '@daos/vos';

import type {
  AkeyPlace,
  DdbActiveDtx,
  DdbChecksums,
  DdbCommittedDtx,
  DdbFeatures,
  DdbFreeRegion,
  DdbLogEntry,
  DdbPool,
  DdbSuperblock,
  DdbValue,
  DkeyPlace,
  ExtentPlace,
  LogPlace,
  ObjectPlace,
  RemovePlace,
  ValueKind,
} from './ddb_pool.js';

const PAGE_ENTRIES = 256;
/** Bytes that one read of an extent asks for. */
const READ_BYTES = 4 * 1024 * 1024;
/** Bytes of an extent whose checksums are shown at once: its data is read with them. */
const CHECKSUMS_BYTES_MAX = 256n * 1024n * 1024n;
const BLOCK_BYTES = 4096;
const NOW = { lo: 0n, hi: EPOCH_MAX };

/** An open shard of this host. */
export class VosDdbPool implements DdbPool {
  /** Handles of containers that were looked into. */
  private readonly handles = new Map<Uuid, VosContainer>();
  private readonly hlc = new Hlc();

  constructor(private readonly pool: VosPool) {}

  get uuid(): Uuid {
    return this.pool.uuid;
  }

  superblock(): DdbSuperblock {
    const { uuid, scm, nvme, containerCount, formatVersion, compat, incompat } = this.pool.query();
    return {
      uuid,
      formatVersion,
      containerCount,
      compatFlags: compat,
      incompatFlags: incompat,
      scmBytes: scm.totalBytes,
      nvmeBytes: nvme.totalBytes,
      blockBytes: BLOCK_BYTES,
    };
  }

  containers(): Iterable<Uuid> {
    return this.pool.containerList();
  }

  objects(container: Uuid): Iterable<UnitOid> {
    const handle = this.container(container);
    return pages((anchor) => handle.listObjects(NOW, PAGE_ENTRIES, anchor));
  }

  dkeys({ container, oid }: ObjectPlace): Iterable<Uint8Array> {
    const handle = this.container(container);
    const params = { oid, flavours: flavoursOf(oid), epr: NOW, limit: PAGE_ENTRIES };
    return pages((anchor) => handle.listDkeys({ ...params, ...(anchor ? { anchor } : {}) }));
  }

  akeys({ container, oid, dkey }: DkeyPlace): Iterable<Uint8Array> {
    const handle = this.container(container);
    const params = { oid, flavours: flavoursOf(oid), epr: NOW, limit: PAGE_ENTRIES, dkey };
    return pages((anchor) => handle.listAkeys({ ...params, ...(anchor ? { anchor } : {}) }));
  }

  *values(place: AkeyPlace): Iterable<DdbValue> {
    const isSingle = this.sizeOf(place, singleIod(place.akey), EPOCH_MAX) > 0;
    const handle = this.container(place.container);
    const { oid, dkey, akey } = place;
    const params = { oid, flavours: flavoursOf(oid), epr: NOW, limit: PAGE_ENTRIES, dkey, akey };
    const entries = pages((anchor) => handle.listRecxs({ ...params, ...(anchor ? { anchor } : {}) }));
    for (const { recx, epoch, recordSize } of entries) {
      if (recordSize === 0) continue;
      if (isSingle) yield { kind: 'single', size: recordSize, epoch };
      else yield { kind: 'array', lo: recx.idx, hi: recx.idx + recx.nr - 1n, recordSize, epoch };
    }
  }

  valueKind(place: AkeyPlace): ValueKind {
    for (const { kind } of this.values(place)) return kind;
    return 'none';
  }

  async *read(place: AkeyPlace | ExtentPlace): AsyncIterable<Uint8Array> {
    if (!('lo' in place)) {
      const [fetched] = await this.fetch(place, singleIod(place.akey), EPOCH_MAX);
      if (!fetched || fetched.size === 0) throw new DaosError('NONEXIST', 'there is no single value at this path');
      for (const piece of fetched.pieces) yield Buffer.from(piece.data);
      return;
    }
    const recordSize = this.recordSize(place, EPOCH_MAX);
    const step = BigInt(Math.max(1, Math.floor(READ_BYTES / recordSize)));
    for (let lo = place.lo; lo <= place.hi; lo += step) {
      const hi = lo + step - 1n < place.hi ? lo + step - 1n : place.hi;
      const data = Buffer.alloc(Number(hi - lo + 1n) * recordSize);
      const [fetched] = await this.fetch(place, arrayIod(place.akey, recordSize, lo, hi), EPOCH_MAX);
      for (const { recx, data: piece } of fetched?.pieces ?? []) data.set(piece, Number(recx.idx - lo) * recordSize);
      yield data;
    }
  }

  async write(place: AkeyPlace | ExtentPlace, data: Uint8Array): Promise<void> {
    const { container, oid, dkey, akey } = place;
    const isExtent = 'lo' in place;
    const records = isExtent ? place.hi - place.lo + 1n : 1n;
    if (isExtent && BigInt(data.length) % records !== 0n) {
      throw new DaosError('INVAL', `${data.length} bytes do not divide into ${records} records`);
    }
    const size = Number(BigInt(data.length) / records);
    const iod = isExtent ? arrayIod(akey, size, place.lo, place.hi) : { ...singleIod(akey), size };
    const epoch = this.hlc.get();
    const handle = this.container(container);
    await handle.update({ oid, flavours: flavoursOf(oid), epoch, flags: 0, dkey, iods: [iod], values: [data] });
  }

  async checksums(place: AkeyPlace | ExtentPlace, epoch: Epoch): Promise<DdbChecksums[]> {
    let iod = singleIod(place.akey);
    if ('lo' in place) {
      const recordSize = this.recordSize(place, epoch);
      if ((place.hi - place.lo + 1n) * BigInt(recordSize) > CHECKSUMS_BYTES_MAX) {
        throw new DaosError('INVAL', `{${place.lo}-${place.hi}} is too much at once: give parts of ${CHECKSUMS_BYTES_MAX} bytes`);
      }
      iod = arrayIod(place.akey, recordSize, place.lo, place.hi);
    }
    const [fetched] = await this.fetch(place, iod, epoch);
    if (!fetched || fetched.size === 0) throw new DaosError('NONEXIST', `there is no value at this path at epoch ${epoch}`);
    return fetched.pieces.flatMap(({ epoch: written, stored }) => {
      if (!stored) return [];
      const { idx, nr } = stored.recx;
      const value: DdbValue =
        'lo' in place
          ? { kind: 'array', lo: idx, hi: idx + nr - 1n, recordSize: fetched.size, epoch: written }
          : { kind: 'single', size: fetched.size, epoch: written };
      const { checksums } = stored;
      return [{ value, checksums: { ...checksums, bytes: Buffer.from(checksums.bytes) } }];
    });
  }

  async remove(place: RemovePlace): Promise<void> {
    const { container, oid, dkey, akey, lo, hi } = place;
    if (!oid) {
      this.closeContainer(container);
      await this.pool.containerDestroy(container);
      await this.pool.flush();
      return;
    }
    const handle = this.container(container);
    const flavours = flavoursOf(oid);
    if (!dkey) await handle.objectDelete(oid);
    else if (!akey || lo === undefined || hi === undefined) await handle.keyDelete({ oid, flavours, dkey, ...(akey ? { akey } : {}) });
    else await handle.arrayRemove({ oid, flavours, dkey, akey, epr: { lo: 0n, hi: EPOCH_MAX }, recx: { idx: lo, nr: hi - lo + 1n } });
  }

  logEntries(place: LogPlace): Iterable<DdbLogEntry> {
    return vosLogEntries(this.container(place.container), logPlaceOf(place));
  }

  logCommit(place: LogPlace): Promise<void> {
    return vosLogCommit(this.container(place.container), logPlaceOf(place));
  }

  logClear(place: LogPlace): Promise<void> {
    return vosLogClear(this.container(place.container), logPlaceOf(place));
  }

  *dtxActive(container: Uuid): Iterable<DdbActiveDtx> {
    for (const { id, epoch, oid, membership, version, records, flags } of vosDtxActive(this.container(container))) {
      const { groupCount, flags: mbsFlags } = membership;
      yield { id, epoch, oid, groupCount, version, recordCount: records.length, flags, mbsFlags };
    }
  }

  dtxCommitted(container: Uuid): Iterable<DdbCommittedDtx> {
    return vosDtxCommitted(this.container(container));
  }

  dtxCommittedClear(container: Uuid): Promise<number> {
    return this.dtxAggregate(container, undefined);
  }

  async dtxAggregate(container: Uuid, untilTime: number | undefined): Promise<number> {
    const handle = this.container(container);
    while (!handle.dtxReindexCommitted());
    const before = handle.query().dtxCommitted;
    while (await handle.dtxAggregate(untilTime));
    return before - handle.query().dtxCommitted;
  }

  async dtxCommit(container: Uuid, id: DtxId): Promise<boolean> {
    return (await this.container(container).dtxCommit([id])) > 0;
  }

  async dtxAbort(container: Uuid, id: DtxId): Promise<boolean> {
    try {
      await this.container(container).dtxAbort(id);
      return true;
    } catch (error) {
      if (isDaosError(error, 'NONEXIST')) return false;
      throw error;
    }
  }

  dtxDiscardInvalid(container: Uuid, id: DtxId): Promise<number> {
    return vosDtxDiscardInvalid(this.container(container), id);
  }

  freeRegions(): Iterable<DdbFreeRegion> {
    return vosFreeRegions(this.pool);
  }

  freeRegionAdd(region: DdbFreeRegion): Promise<void> {
    return vosFreeRegionAdd(this.pool, region);
  }

  features(): DdbFeatures {
    const { compat, incompat } = this.pool.query();
    return { compat, incompat };
  }

  setFeatures({ compat }: DdbFeatures): Promise<void> {
    return this.pool.setCompat(compat);
  }

  async close(): Promise<void> {
    for (const uuid of [...this.handles.keys()]) this.closeContainer(uuid);
    await this.pool.close();
  }

  private container(uuid: Uuid): VosContainer {
    let handle = this.handles.get(uuid);
    if (!handle) this.handles.set(uuid, (handle = this.pool.containerOpen(uuid)));
    return handle;
  }

  private closeContainer(uuid: Uuid): void {
    this.handles.get(uuid)?.close();
    this.handles.delete(uuid);
  }

  private async fetch(place: AkeyPlace, iod: Iod, epoch: Epoch): Promise<VosFetchedIod[]> {
    const { container, oid, dkey } = place;
    return this.container(container).fetch({ oid, flavours: flavoursOf(oid), epoch, flags: 0, dkey, iods: [iod] });
  }

  /** Size of a value or of records; 0 when there is none. */
  private sizeOf({ container, oid, dkey }: DkeyPlace, iod: Iod, epoch: Epoch): number {
    const request = { oid, flavours: flavoursOf(oid), epoch, flags: 0, dkey, iods: [iod], sizeOnly: true };
    const fetched = this.container(container).fetch(request);
    // sizes stand in the index, so that the answer comes at once
    assert(!(fetched instanceof Promise), 'a fetch of sizes reads no data');
    return fetched[0]?.size ?? 0;
  }

  private recordSize(place: ExtentPlace, epoch: Epoch): number {
    const size = this.sizeOf(place, arrayIod(place.akey, 1, place.lo, place.hi), epoch);
    if (size === 0) throw new DaosError('NONEXIST', `no record of {${place.lo}-${place.hi}} exists`);
    return size;
  }
}

function flavoursOf({ oid }: UnitOid): KeyFlavours {
  const flavours = objectTypeFlavours(objectIdType(oid));
  if (!flavours) throw new DaosError('INVAL', `object ${oid.hi}.${oid.lo} has the unknown type ${objectIdType(oid)}`);
  return flavours;
}

function logPlaceOf({ oid, dkey, akey }: LogPlace): VosLogPlace {
  return { oid, flavours: flavoursOf(oid), ...(dkey ? { dkey } : {}), ...(akey ? { akey } : {}) };
}

function singleIod(akey: Uint8Array): Iod {
  return { akey, type: IodType.SINGLE, size: 0, recxs: [] };
}

function arrayIod(akey: Uint8Array, size: number, lo: bigint, hi: bigint): Iod {
  return { akey, type: IodType.ARRAY, size, recxs: [{ idx: lo, nr: hi - lo + 1n }] };
}

/** The items of all pages, each page read when it is wanted. */
function* pages<T>(next: (anchor: Uint8Array | undefined) => VosPage<T>): Iterable<T> {
  let anchor: Uint8Array | undefined;
  do {
    const page = next(anchor);
    yield* page.items;
    anchor = page.next;
  } while (anchor);
}
