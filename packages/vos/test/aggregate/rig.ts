import { createHash } from 'node:crypto';

import { EPOCH_MAX, IodType, type Epoch, type UnitOid } from '@daos/common';
import { seededRandom, type Random } from '@daos/gurt';

import type { Container } from '../../src/container_state.js';
import type { ContainerHandle } from '../../src/container.js';
import type { KeyFlavours, VosContainer } from '../../src/index.js';
import type { AkeyHead } from '../../src/layout/head.js';
import type { ValueRecord } from '../../src/value/value_record.js';
import { HASHED, NEWEST, TestObject, TestPool, array, bytes, single, unitOid } from '../fixture.js';

const LIMIT = 1000;

export const DKEY = bytes('dkey');
export const AKEY = bytes('akey');

/** A container to aggregate, and looks at what readers see and at what is stored. */
export class Rig {
  readonly object: TestObject;

  private constructor(
    readonly test: TestPool,
    public container: VosContainer,
    readonly flavours: KeyFlavours,
  ) {
    this.object = new TestObject(container, unitOid(1), flavours);
  }

  static async create(sizes: { scmBytes?: number; nvmeBytes?: number } = {}, flavours = HASHED): Promise<Rig> {
    const test = await TestPool.create(sizes);
    return new Rig(test, await test.newContainer(), flavours);
  }

  get state(): Container {
    return (this.container as ContainerHandle).open();
  }

  aggregate(lo: number | bigint, hi: number | bigint, flags = 0): Promise<boolean> {
    return this.container.aggregate({ lo: BigInt(lo), hi: BigInt(hi) }, { flags });
  }

  discard(lo: number | bigint, hi: number | bigint, oid?: UnitOid): Promise<void> {
    return this.container.discard({ lo: BigInt(lo), hi: BigInt(hi) }, oid);
  }

  akey(dkey: Uint8Array = DKEY, akey: Uint8Array = AKEY, oid = unitOid(1)): AkeyHead | undefined {
    const { heads, no } = this.state;
    const object = heads.findObject(no, oid);
    const parent = object && heads.findDkey(object.no, dkey, this.flavours.dkey);
    return parent && heads.findAkey(parent.no, akey, this.flavours.akey);
  }

  /** All stored versions of a key with epochs of the range, newest first or by index. */
  stored(lo: number | bigint = 0, hi: number | bigint = NEWEST.hi, head = this.akey()): ValueRecord[] {
    if (!head) return [];
    const { singles, extents } = this.state.store;
    const epr = { lo: BigInt(lo), hi: BigInt(hi) };
    if (head.kind === IodType.SINGLE) return [...singles.versions(head, epr.lo, epr.hi)];
    return extents.records(head, { epr, limit: 100_000 }).entries.map(({ record }) => record);
  }

  /** Everything that a reader at an epoch finds, as text. */
  async see(epoch: Epoch | number): Promise<string> {
    const at = BigInt(epoch);
    const epr = { lo: 0n, hi: at };
    const lines: string[] = [];
    const { container, flavours } = this;
    for (const oid of container.listObjects(epr, LIMIT).items) {
      lines.push(`object ${oid.oid.lo}`);
      const where = { oid, flavours, epr, limit: LIMIT };
      for (const dkey of container.listDkeys(where).items) {
        lines.push(` dkey ${show(dkey)}`);
        for (const akey of container.listAkeys({ ...where, dkey }).items) {
          lines.push(`  akey ${show(akey)} ${await this.value(oid, dkey, akey, at)}`);
        }
      }
    }
    return lines.join('\n');
  }

  private async value(oid: UnitOid, dkey: Uint8Array, akey: Uint8Array, epoch: Epoch): Promise<string> {
    const request = { oid, flavours: this.flavours, epoch, flags: 0, dkey };
    const [one] = await this.container.fetch({ ...request, iods: [single(akey, 0)] });
    if (one?.pieces[0]) return `= ${show(one.pieces[0].data)}`;
    const [all] = await this.container.fetch({ ...request, iods: [array(akey, 0, [0, 1n << 40n])] });
    // neighbours are shown as one: who wrote what may change
    const runs: { idx: bigint; end: bigint; data: Uint8Array[] }[] = [];
    for (const { recx, data } of all?.pieces ?? []) {
      const last = runs.at(-1);
      const end = recx.idx + recx.nr;
      if (last?.end === recx.idx) {
        last.data.push(data);
        last.end = end;
      } else runs.push({ idx: recx.idx, end, data: [data] });
    }
    return runs.map(({ idx, data }) => `[${idx}]${show(Buffer.concat(data))}`).join(' ');
  }

  async destroy(): Promise<void> {
    await this.test.destroy();
  }
}

export function show(data: Uint8Array): string {
  return data.length > 64 ? `${data.length} bytes, ${createHash('sha1').update(data).digest('hex')}` : Buffer.from(data).toString('hex');
}

/** A generator whose seed is printed when the test fails. */
export function randomOf(seed: number): Random {
  return seededRandom(seed);
}

export const MAX = EPOCH_MAX;
