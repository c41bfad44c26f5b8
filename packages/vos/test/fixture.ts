import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { IodType, uuidGenerate, type Epoch, type Iod, type Recx, type UnitOid, type Uuid } from '@daos/common';

import { vosPoolCreate, vosPoolDestroy, type KeyFlavours, type VosContainer } from '../src/index.js';
import type { PoolHandle } from '../src/pool.js';
import { poolOpen } from '../src/open_shards.js';
import type { UmemTuning } from '../src/umem/lmdb_umem.js';

export const MIB = 1024 * 1024;
export const HASHED: KeyFlavours = { dkey: 'hashed', akey: 'hashed' };
export const UINT64: KeyFlavours = { dkey: 'uint64', akey: 'uint64' };
export const NEWEST = { lo: 0n, hi: 0xffff_ffff_ffff_ffffn };

export function bytes(text: string): Buffer {
  return Buffer.from(text);
}

/** A uint64 key. */
export function number64(value: number | bigint): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64LE(BigInt(value));
  return key;
}

export function unitOid(lo: number, shard = 0): UnitOid {
  return { oid: { hi: 7n, lo: BigInt(lo) }, shard, layoutVersion: 1 };
}

export function single(akey: Uint8Array, size: number, flags?: number): Iod {
  return { akey, type: IodType.SINGLE, size, recxs: [], ...(flags === undefined ? {} : { flags }) };
}

export function array(akey: Uint8Array, size: number, ...recxs: [number | bigint, number | bigint][]): Iod {
  return { akey, type: IodType.ARRAY, size, recxs: recxs.map(([idx, nr]): Recx => ({ idx: BigInt(idx), nr: BigInt(nr) })) };
}

/** Checkpoints all the time, in small slices, with logs that are full soon. */
export const BUSY_TUNING: UmemTuning = { checkpointEntries: 12, checkpointLogBytes: 4096, sliceEntries: 5, logBytesMax: 16_384 };

/** A pool shard in a temporary folder. */
export class TestPool {
  pool!: PoolHandle;
  tuning: UmemTuning | undefined;

  private constructor(
    readonly root: string,
    public dir: string,
    readonly uuid: Uuid,
  ) {}

  static async create(sizes: { scmBytes?: number; nvmeBytes?: number } = {}, tuning?: UmemTuning): Promise<TestPool> {
    const root = await mkdtemp(join(tmpdir(), 'vos-test-'));
    const test = new TestPool(root, join(root, 'shard'), uuidGenerate());
    await vosPoolCreate({ dir: test.dir, uuid: test.uuid, scmBytes: 64 * MIB, nvmeBytes: 64 * MIB, ...sizes });
    test.tuning = tuning;
    await test.open();
    return test;
  }

  async open(): Promise<PoolHandle> {
    this.pool = await poolOpen({ dir: this.dir, uuid: this.uuid }, this.tuning);
    return this.pool;
  }

  async reopen(): Promise<PoolHandle> {
    await this.pool.close();
    return this.open();
  }

  /** Goes on with what a crash at this moment would leave on the disk. Nothing may be under way. */
  async crash(damage?: (dir: string) => Promise<void>): Promise<PoolHandle> {
    const copy = `${this.dir}x`;
    await this.pool.settled();
    await cp(this.dir, copy, { recursive: true });
    await damage?.(copy);
    await this.pool.close();
    await vosPoolDestroy(this.dir);
    this.dir = copy;
    return this.open();
  }

  async newContainer(): Promise<VosContainer> {
    const uuid = uuidGenerate();
    await this.pool.containerCreate(uuid);
    return this.pool.containerOpen(uuid);
  }

  async destroy(): Promise<void> {
    await this.pool.close();
    await rm(this.root, { recursive: true, force: true });
  }
}

/** One object with text keys: short calls for tests that read as stories. */
export class TestObject {
  constructor(
    public container: VosContainer,
    readonly oid: UnitOid = unitOid(1),
    readonly flavours: KeyFlavours = HASHED,
  ) {}

  updateSingle(epoch: Epoch, dkey: Uint8Array, akey: Uint8Array, value: string | Uint8Array, flags = 0): Promise<void> {
    const data = typeof value === 'string' ? bytes(value) : value;
    return this.update(epoch, dkey, [single(akey, data.length)], [data], flags);
  }

  /** Writes text as records of one byte. */
  updateArray(epoch: Epoch, dkey: Uint8Array, akey: Uint8Array, idx: number | bigint, text: string, flags = 0): Promise<void> {
    return this.update(epoch, dkey, [array(akey, 1, [idx, text.length])], [bytes(text)], flags);
  }

  punchArray(epoch: Epoch, dkey: Uint8Array, akey: Uint8Array, idx: number | bigint, nr: number | bigint): Promise<void> {
    return this.update(epoch, dkey, [array(akey, 0, [idx, nr])], [new Uint8Array(0)]);
  }

  update(epoch: Epoch, dkey: Uint8Array, iods: Iod[], values: Uint8Array[], flags = 0): Promise<void> {
    const { oid, flavours } = this;
    return this.container.update({ oid, flavours, epoch, flags, dkey, iods, values });
  }

  punch(epoch: Epoch, dkey?: Uint8Array, akeys?: Uint8Array[], flags = 0): Promise<void> {
    const { oid, flavours } = this;
    return this.container.punch({ oid, flavours, epoch, flags, ...(dkey ? { dkey } : {}), ...(akeys ? { akeys } : {}) });
  }

  /** The single value as text; '' when there is none. */
  async fetchSingle(epoch: Epoch, dkey: Uint8Array, akey: Uint8Array, flags = 0): Promise<string> {
    const { oid, flavours } = this;
    const [iod] = await this.container.fetch({ oid, flavours, epoch, flags, dkey, iods: [single(akey, 0)] });
    return Buffer.from(iod?.pieces[0]?.data ?? []).toString();
  }

  /** Records of one byte as text, '.' where nothing is. */
  async fetchArray(epoch: Epoch, dkey: Uint8Array, akey: Uint8Array, idx: number, nr: number): Promise<string> {
    const { oid, flavours } = this;
    const [iod] = await this.container.fetch({ oid, flavours, epoch, flags: 0, dkey, iods: [array(akey, 1, [idx, nr])] });
    const text = Buffer.alloc(nr, '.');
    for (const { recx, data } of iod?.pieces ?? []) text.set(data, Number(recx.idx) - idx);
    return text.toString();
  }
}
