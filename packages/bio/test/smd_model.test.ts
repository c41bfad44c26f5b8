import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';
import { seededRandom } from '@daos/gurt';

import {
  DeviceRole, SmdDb, smdDevAddTgt, smdDevGetByTgt, smdDevList, smdDevReplace, smdDevSetState, smdPoolAddTgt, smdPoolDelTgt, smdPoolList, type RoleBit,
} from '../src/index.js';

const ROLES: readonly RoleBit[] = [DeviceRole.DATA, DeviceRole.META, DeviceRole.WAL];
const TARGETS = 6;
const STEPS = 300;

const uuid = (kind: number, i: number): string => `${kind}0000000-0000-0000-0000-00000000000${i}`;

/** The rules, on plain maps. Every change answers the error's name, or `ok` after it was made. */
class Model {
  readonly devices = new Map<string, { state: 'NORMAL' | 'FAULTY'; targets: number[] }>();
  readonly bindings = new Map<string, string>();
  readonly pools = new Map<string, { blobBytes: number; blobs: Map<number, bigint> }>();

  bind(device: string, target: number, role: RoleBit): string {
    if (this.bindings.has(`${role}.${target}`)) return 'EXIST';
    const row = this.devices.get(device) ?? { state: 'NORMAL' as const, targets: [] };
    if (!row.targets.includes(target)) row.targets.push(target);
    this.devices.set(device, row);
    this.bindings.set(`${role}.${target}`, device);
    return 'ok';
  }

  setState(device: string, state: 'NORMAL' | 'FAULTY'): string {
    const row = this.devices.get(device);
    if (!row) return 'NONEXIST';
    row.state = state;
    return 'ok';
  }

  replace(from: string, to: string): string {
    const row = this.devices.get(from);
    if (!row) return 'NONEXIST';
    if (this.devices.has(to) || row.state !== 'FAULTY') return 'INVAL';
    this.devices.delete(from);
    this.devices.set(to, { ...row, state: 'NORMAL' });
    for (const [key, device] of this.bindings) if (device === from) this.bindings.set(key, to);
    return 'ok';
  }

  addBlob(pool: string, role: RoleBit, target: number, blobBytes: number, blob: bigint): string {
    const row = this.pools.get(`${role}.${pool}`) ?? { blobBytes, blobs: new Map<number, bigint>() };
    if (row.blobBytes !== blobBytes) return 'INVAL';
    if (row.blobs.has(target)) return 'EXIST';
    row.blobs.set(target, blob);
    this.pools.set(`${role}.${pool}`, row);
    return 'ok';
  }

  deleteBlob(pool: string, role: RoleBit, target: number): string {
    const row = this.pools.get(`${role}.${pool}`);
    if (!row?.blobs.delete(target)) return 'NONEXIST';
    if (row.blobs.size === 0) this.pools.delete(`${role}.${pool}`);
    return 'ok';
  }

  image(): unknown {
    return {
      devices: [...this.devices].map(([id, row]) => ({ uuid: id, ...row })).sort((a, b) => (a.uuid < b.uuid ? -1 : 1)),
      bindings: [...this.bindings].sort(),
      pools: [...this.pools].map(([key, { blobBytes, blobs }]) => [key, blobBytes, [...blobs]]).sort(),
    };
  }
}

function imageOf(db: SmdDb): unknown {
  const bindings: [string, string][] = [];
  for (const role of ROLES) {
    for (let target = 0; target < TARGETS; target++) {
      const bound = resultOf(() => smdDevGetByTgt(db, target, role).uuid);
      if (bound !== 'NONEXIST') bindings.push([`${role}.${target}`, bound]);
    }
  }
  const pools = ROLES.flatMap((role) => smdPoolList(db, role).map((pool) =>
    [`${role}.${pool.uuid}`, pool.blobBytes, pool.targets.map((target, i) => [target, BigInt(pool.blobs[i]!)])]));
  return { devices: smdDevList(db), bindings: bindings.sort(), pools: pools.sort() };
}

function resultOf(run: () => string | void): string {
  try {
    return run() ?? 'ok';
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
}

it.each([1, 2, 3])('agrees with plain maps over random changes and reopenings, seed %i', async (seed) => {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const dir = await mkdtemp(join(tmpdir(), 'smd-model-'));
  const path = join(dir, 'smd.mdb');
  const model = new Model();
  let db = await SmdDb.open(path);
  const [device, pool] = [(): string => uuid(1, random.below(4)), (): string => uuid(2, random.below(3))];
  const steps: (() => [string, string])[] = [
    () => {
      const [d, target, role] = [device(), random.below(TARGETS), pick(ROLES)];
      return [model.bind(d, target, role), resultOf(() => smdDevAddTgt(db, d, target, role))];
    },
    () => {
      const [d, state] = [device(), pick(['NORMAL', 'FAULTY'] as const)];
      return [model.setState(d, state), resultOf(() => smdDevSetState(db, d, state))];
    },
    () => {
      const [from, to] = [device(), device()];
      return [model.replace(from, to), resultOf(() => smdDevReplace(db, from, to))];
    },
    () => {
      const [p, role, target, blobBytes] = [pool(), pick(ROLES), random.below(TARGETS), pick([4096, 4096, 8192])];
      const blob = BigInt(random.below(1000));
      return [model.addBlob(p, role, target, blobBytes, blob), resultOf(() => smdPoolAddTgt(db, p, { target, role, blob, blobBytes }))];
    },
    () => {
      const [p, role, target] = [pool(), pick(ROLES), random.below(TARGETS)];
      return [model.deleteBlob(p, role, target), resultOf(() => smdPoolDelTgt(db, p, target, role))];
    },
  ];
  for (let step = 0; step < STEPS; step++) {
    const [expected, got] = pick(steps)();
    expect({ seed, step, got }).toEqual({ seed, step, got: expected });
    if (step % 50 !== 49) continue;
    expect({ seed, step, image: imageOf(db) }).toEqual({ seed, step, image: model.image() });
    await db.close();
    db = await SmdDb.open(path);
  }
  expect(imageOf(db)).toEqual(model.image());
  await db.close();
  await rm(dir, { recursive: true });
});
