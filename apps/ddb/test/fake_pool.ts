import { setImmediate } from 'node:timers/promises';

import { DaosError, type Epoch, type IodChecksums, type UnitOid, type Uuid } from '@daos/common';
import { dtxIdEquals, type DtxId } from '@daos/vos';

import type { VosPath } from '../src/path/vos_path.js';
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
} from '../src/pool/ddb_pool.js';
import type { DdbDevice, DdbStore } from '../src/pool/ddb_store.js';
import { placeFormat } from '../src/place.js';

export const POOL = '12345678-1234-1234-1234-123456789012';
export const CONTAINER = '3550f5df-e6b1-4415-947e-82e15cf769af';
export const OTHER = '4550f5df-e6b1-4415-947e-82e15cf769af';
export const OID: UnitOid = { oid: { hi: 0n, lo: 13n }, shard: 0, layoutVersion: 1 };
export const PATH = `/mnt/daos/${POOL}/vos-0`;

interface FakeValue {
  value: DdbValue;
  data: Buffer;
  checksums?: IodChecksums;
}

/** One version of a value. */
type Versions = FakeValue[];

/** A shard in memory: values by the path of their akey, everything else by the path of what has it. */
export class FakePool implements DdbPool {
  readonly uuid = POOL;
  isClosed = false;
  readonly tree = new Map<Uuid, AkeyPlace[]>([[CONTAINER, []], [OTHER, []]]);
  readonly versions = new Map<string, Versions>();
  readonly logs = new Map<string, DdbLogEntry[]>();
  active: DdbActiveDtx[] = [];
  committed: DdbCommittedDtx[] = [];
  regions: DdbFreeRegion[] = [{ offset: 1, blocks: 10 }, { offset: 100, blocks: 7 }];
  flags: DdbFeatures = { compat: 0n, incompat: 0n };
  readonly discarded: DtxId[] = [];

  addSingle(dkey: string, akey: string, text: string, epoch: Epoch = 1n, checksums?: IodChecksums): void {
    const data = Buffer.from(text);
    this.add(this.place(dkey, akey), { value: { kind: 'single', size: data.length, epoch }, data, ...(checksums ? { checksums } : {}) });
  }

  addArray(dkey: string, akey: string, lo: bigint, text: string, epoch: Epoch = 1n, checksums?: IodChecksums): void {
    const data = Buffer.from(text);
    const hi = lo + BigInt(data.length) - 1n;
    this.add(this.place(dkey, akey), { value: { kind: 'array', lo, hi, recordSize: 1, epoch }, data, ...(checksums ? { checksums } : {}) });
  }

  place(dkey: string, akey: string): AkeyPlace {
    return { container: CONTAINER, oid: OID, dkey: Buffer.from(dkey), akey: Buffer.from(akey) };
  }

  superblock(): DdbSuperblock {
    const sizes = { scmBytes: 64 << 20, nvmeBytes: 1 << 30, blockBytes: 4096 };
    return { uuid: POOL, formatVersion: 28, containerCount: this.tree.size, compatFlags: this.flags.compat, incompatFlags: 0n, ...sizes };
  }

  containers(): Iterable<Uuid> {
    return this.tree.keys();
  }

  objects(container: Uuid): Iterable<UnitOid> {
    return distinct(this.below({ container }), (place) => place.oid);
  }

  dkeys(place: ObjectPlace): Iterable<Uint8Array> {
    return distinct(this.below(place), ({ dkey }) => dkey);
  }

  akeys(place: DkeyPlace): Iterable<Uint8Array> {
    return distinct(this.below(place), ({ akey }) => akey);
  }

  values(place: AkeyPlace): Iterable<DdbValue> {
    const all = this.versions.get(akeyPath(place)) ?? [];
    return all.map(({ value }) => value).filter((value) => value.kind === 'array' || value === all.at(-1)?.value);
  }

  valueKind(place: AkeyPlace): ValueKind {
    return this.versions.get(akeyPath(place))?.at(-1)?.value.kind ?? 'none';
  }

  async *read(place: AkeyPlace | ExtentPlace): AsyncIterable<Uint8Array> {
    const found = this.find(place, 0xffffn).at(-1);
    if (!found) throw new DaosError('NONEXIST', 'no value');
    await Promise.resolve();
    yield found.data.subarray(0, 2);
    yield found.data.subarray(2);
  }

  async write(place: AkeyPlace | ExtentPlace, data: Uint8Array): Promise<void> {
    await Promise.resolve();
    const epoch = 100n;
    const value: DdbValue =
      'lo' in place ? { kind: 'array', lo: place.lo, hi: place.hi, recordSize: 1, epoch } : { kind: 'single', size: data.length, epoch };
    this.add(place, { value, data: Buffer.from(data) });
  }

  async checksums(place: AkeyPlace | ExtentPlace, epoch: Epoch): Promise<DdbChecksums[]> {
    await Promise.resolve();
    const found = this.find(place, epoch).at(-1);
    return found?.checksums ? [{ value: found.value, checksums: found.checksums }] : [];
  }

  async remove(place: RemovePlace): Promise<void> {
    await Promise.resolve();
    const { container, oid } = place;
    if (!oid) {
      this.tree.delete(container);
      return;
    }
    const gone = this.below(place);
    for (const each of gone) this.versions.delete(akeyPath(each));
    this.tree.set(container, (this.tree.get(container) ?? []).filter((each) => !gone.includes(each)));
  }

  logEntries(place: LogPlace): Iterable<DdbLogEntry> {
    return this.logs.get(placeFormat(place)) ?? [];
  }

  async logCommit(place: LogPlace): Promise<void> {
    await Promise.resolve();
    const path = placeFormat(place);
    this.logs.set(path, (this.logs.get(path) ?? []).map((entry) => ({ ...entry, owner: 0, status: 'committed' })));
  }

  async logClear(place: LogPlace): Promise<void> {
    await Promise.resolve();
    this.logs.delete(placeFormat(place));
  }

  dtxActive(): Iterable<DdbActiveDtx> {
    return [...this.active];
  }

  dtxCommitted(): Iterable<DdbCommittedDtx> {
    return [...this.committed];
  }

  dtxCommittedClear(): Promise<number> {
    return this.dtxAggregate(CONTAINER, undefined);
  }

  async dtxAggregate(_container: Uuid, untilTime: number | undefined): Promise<number> {
    await Promise.resolve();
    const kept = this.committed.filter(({ commitTime }) => untilTime !== undefined && commitTime > untilTime);
    const removed = this.committed.length - kept.length;
    this.committed = kept;
    return removed;
  }

  async dtxCommit(container: Uuid, id: DtxId): Promise<boolean> {
    const entry = this.active.find((each) => dtxIdEquals(each.id, id));
    if (entry) this.committed.push({ id, epoch: entry.epoch, commitTime: 1 });
    return this.dtxAbort(container, id);
  }

  async dtxAbort(_container: Uuid, id: DtxId): Promise<boolean> {
    await Promise.resolve();
    const count = this.active.length;
    this.active = this.active.filter((each) => !dtxIdEquals(each.id, id));
    return this.active.length < count;
  }

  async dtxDiscardInvalid(_container: Uuid, id: DtxId): Promise<number> {
    await Promise.resolve();
    this.discarded.push(id);
    return 2;
  }

  freeRegions(): Iterable<DdbFreeRegion> {
    return this.regions;
  }

  async freeRegionAdd(region: DdbFreeRegion): Promise<void> {
    await Promise.resolve();
    this.regions.push(region);
  }

  features(): DdbFeatures {
    return this.flags;
  }

  async setFeatures(flags: DdbFeatures): Promise<void> {
    await Promise.resolve();
    this.flags = flags;
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.isClosed = true;
  }

  private add(place: AkeyPlace, version: FakeValue): void {
    const { container, oid, dkey, akey } = place;
    const path = akeyPath(place);
    const versions = this.versions.get(path);
    if (versions) versions.push(version);
    else this.versions.set(path, [version]);
    if (!versions) this.tree.get(container)?.push({ container, oid, dkey, akey });
  }

  private find(place: AkeyPlace | ExtentPlace, epoch: Epoch): FakeValue[] {
    return (this.versions.get(akeyPath(place)) ?? []).filter(
      ({ value }) => value.epoch <= epoch && (!('lo' in place) || (value.kind === 'array' && value.lo === place.lo && value.hi === place.hi)),
    );
  }

  private below(place: RemovePlace): AkeyPlace[] {
    const prefix = placeFormat(place);
    return (this.tree.get(place.container) ?? []).filter((each) => `${placeFormat(each)}/`.startsWith(`${prefix}/`));
  }
}

/** Opens `FakePool`s. */
export class FakeStore implements DdbStore {
  pool = new FakePool();
  readonly opened: { path: VosPath; write: boolean }[] = [];
  readonly calls: string[] = [];

  async openPool(path: VosPath, { write }: { write: boolean }): Promise<DdbPool> {
    // as long as a turn of the event loop, as with a real shard
    await setImmediate();
    if (path.path.includes('missing')) throw new DaosError('INVAL', `there is no ${path.path}`);
    this.opened.push({ path, write });
    return this.pool;
  }

  async removePool(path: VosPath): Promise<void> {
    await this.note('removePool', path.path);
  }

  async smdSync(nvmeConf: string, dbPath: string): Promise<void> {
    await this.note('smdSync', nvmeConf, dbPath);
  }

  async devices(dbPath: string): Promise<DdbDevice[]> {
    await this.note('devices', dbPath);
    return [{ uuid: OTHER, state: 'NORMAL', targets: [0, 1] }];
  }

  async deviceReplace(dbPath: string, oldDevice: Uuid, newDevice: Uuid): Promise<void> {
    await this.note('deviceReplace', dbPath, oldDevice, newDevice);
  }

  async provisionMemory(dbPath: string, mount: string, sizeGib: number | undefined): Promise<void> {
    await this.note('provisionMemory', dbPath, mount, String(sizeGib));
  }

  private async note(...words: string[]): Promise<void> {
    await Promise.resolve();
    this.calls.push(words.join(' '));
  }
}

function akeyPath({ container, oid, dkey, akey }: AkeyPlace): string {
  return placeFormat({ container, oid, dkey, akey });
}

function distinct<T>(places: readonly AkeyPlace[], part: (place: AkeyPlace) => T): T[] {
  const seen = new Map(places.map((place) => [JSON.stringify(part(place), (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)), part(place)]));
  return [...seen.values()];
}
