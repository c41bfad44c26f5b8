import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as lmdb from 'lmdb';

import { DaosError, uuidGenerate } from '@daos/common';

import {
  DeviceRole, SYS_TARGET_ID, SmdDb, smdAssign, smdCtrlrGet, smdCtrlrSet, smdDevAddTgt, smdDevDelTgt, smdDevGetById, smdDevGetByTgt, smdDevList,
  smdDevReplace, smdDevRoles, smdDevSetState, smdPoolAddTgt, smdPoolDelTgt, smdPoolGetBlob, smdPoolGetInfo, smdPoolGetScmBytes,
  smdPoolList, smdPoolMarkReady, smdPoolReplaceBlobs, smdRdbAddTgt, smdRdbDelTgt, smdRdbGetBlob, smdRdbList, type RoleBit,
} from '../src/index.js';

const { DATA, META, WAL } = DeviceRole;
const ALL: readonly RoleBit[] = [DATA, META, WAL];
const [DEV1, DEV2, DEV3] = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000003'];
const [POOL1, POOL2] = ['10000000-0000-0000-0000-000000000001', '10000000-0000-0000-0000-000000000002'];

let dir: string;
let path: string;
let db: SmdDb;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'smd-'));
  path = join(dir, 'smd.mdb');
  db = await SmdDb.open(path);
});
afterEach(async () => {
  await db.close();
  await rm(dir, { recursive: true, force: true });
});

function derOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
  return 'none';
}

function bind(): void {
  for (const role of ALL) {
    for (const target of [0, 1, 2]) smdDevAddTgt(db, DEV1, target, role);
    for (const target of [3, 4, 5]) smdDevAddTgt(db, DEV2, target, role);
  }
}

describe('devices and targets', () => {
  it('binds targets to devices in all roles and answers by device and by target', () => {
    bind();
    for (const role of ALL) {
      expect(derOf(() => smdDevAddTgt(db, DEV1, 0, role))).toBe('EXIST');
      expect(derOf(() => smdDevAddTgt(db, DEV2, 0, role))).toBe('EXIST');
      expect(smdDevGetByTgt(db, 4, role)).toEqual({ uuid: DEV2, state: 'NORMAL', targets: [3, 4, 5] });
      expect(derOf(() => smdDevGetByTgt(db, 6, role))).toBe('NONEXIST');
    }
    expect(derOf(() => smdDevGetById(db, DEV3))).toBe('NONEXIST');
    expect(derOf(() => smdDevSetState(db, DEV3, 'FAULTY'))).toBe('NONEXIST');
    smdDevSetState(db, DEV1, 'FAULTY');
    expect(smdDevList(db)).toEqual([
      { uuid: DEV1, state: 'FAULTY', targets: [0, 1, 2] },
      { uuid: DEV2, state: 'NORMAL', targets: [3, 4, 5] },
    ]);
    expect(smdDevRoles(db, DEV1)).toBe(DATA | META | WAL);
    expect(derOf(() => smdDevDelTgt(db, DEV1, 0, DATA))).toBe('NOSYS');
  });

  it('takes 64 targets per device and no more, and changes nothing then', () => {
    for (let target = 0; target < 64; target++) smdDevAddTgt(db, DEV1, target, DATA);
    expect(derOf(() => smdDevAddTgt(db, DEV1, 64, DATA))).toBe('OVERFLOW');
    expect(derOf(() => smdDevGetByTgt(db, 64, DATA))).toBe('NONEXIST');
    // another role of a target that is there counts as the same target
    smdDevAddTgt(db, DEV1, 63, META);
    expect(smdDevGetById(db, DEV1).targets.length).toBe(64);
  });

  it('refuses ids that are none', () => {
    expect(derOf(() => smdDevAddTgt(db, 'x', 0, DATA))).toBe('INVAL');
    expect(derOf(() => smdDevAddTgt(db, DEV1, -1, DATA))).toBe('INVAL');
  });

  it('replaces a faulty device by an unknown one: targets move, the state is NORMAL', () => {
    bind();
    expect(derOf(() => smdDevReplace(db, DEV1, DEV3))).toBe('INVAL');
    smdDevSetState(db, DEV1, 'FAULTY');
    expect(derOf(() => smdDevReplace(db, DEV1, DEV2))).toBe('INVAL');
    expect(derOf(() => smdDevReplace(db, DEV3, DEV1))).toBe('NONEXIST');
    smdDevReplace(db, DEV1, DEV3);
    expect(smdDevGetById(db, DEV3)).toEqual({ uuid: DEV3, state: 'NORMAL', targets: [0, 1, 2] });
    expect(derOf(() => smdDevGetById(db, DEV1))).toBe('NONEXIST');
    for (const role of ALL) expect([smdDevGetByTgt(db, 1, role).uuid, smdDevGetByTgt(db, 3, role).uuid]).toEqual([DEV3, DEV2]);
  });

  it('replaces a device of any state offline, and leaves the new one in that state', () => {
    bind();
    smdDevReplace(db, DEV1, DEV3, { offline: true });
    expect(smdDevGetById(db, DEV3).state).toBe('NORMAL');
    smdDevSetState(db, DEV3, 'FAULTY');
    smdDevReplace(db, DEV3, DEV1, { offline: true });
    expect(smdDevGetById(db, DEV1).state).toBe('FAULTY');
  });

  it('moves only the bindings of the roles that the old device has', () => {
    smdDevAddTgt(db, DEV1, 0, DATA);
    smdDevAddTgt(db, DEV2, 0, WAL);
    smdDevSetState(db, DEV1, 'FAULTY');
    smdDevReplace(db, DEV1, DEV3);
    expect([smdDevGetByTgt(db, 0, DATA).uuid, smdDevGetByTgt(db, 0, WAL).uuid]).toEqual([DEV3, DEV2]);
  });

  it('keeps model and serial number of a drive', () => {
    expect(derOf(() => smdCtrlrGet(db, DEV1))).toBe('NONEXIST');
    smdCtrlrSet(db, DEV1, { model: 'M', serial: '1' });
    expect(smdCtrlrGet(db, DEV1)).toEqual({ model: 'M', serial: '1' });
  });
});

describe('pools and blobs', () => {
  const blob = (target: number, role: RoleBit, blobBytes = 1 << 30) => ({ target, role, blob: BigInt(100 + target), blobBytes });

  it('notes the blobs of a pool by role, and finds them', () => {
    for (const role of ALL) for (const target of [0, 1, 2]) smdPoolAddTgt(db, POOL1, blob(target, role));
    for (const role of ALL) {
      expect(derOf(() => smdPoolAddTgt(db, POOL1, blob(1, role)))).toBe('EXIST');
      expect(derOf(() => smdPoolAddTgt(db, POOL1, blob(3, role, 2 << 30)))).toBe('INVAL');
      expect(smdPoolGetBlob(db, POOL1, 2, role)).toBe(102n);
      expect(derOf(() => smdPoolGetBlob(db, POOL1, 3, role))).toBe('NONEXIST');
    }
    expect(derOf(() => smdPoolGetBlob(db, POOL2, 0, DATA))).toBe('NONEXIST');
    expect(smdPoolGetInfo(db, POOL1)).toEqual({ uuid: POOL1, blobBytes: 1 << 30, inCreation: false, targets: [0, 1, 2], blobs: ['100', '101', '102'] });
    smdPoolAddTgt(db, POOL2, blob(0, DATA, 4096));
    expect(smdPoolList(db).map(({ uuid }) => uuid)).toEqual([POOL1, POOL2]);
  });

  it('deletes a target, the row with the last one, and knows it no more', () => {
    for (const target of [0, 1]) smdPoolAddTgt(db, POOL1, blob(target, DATA));
    smdPoolDelTgt(db, POOL1, 0, DATA);
    expect(smdPoolGetInfo(db, POOL1)).toMatchObject({ targets: [1], blobs: ['101'] });
    expect(derOf(() => smdPoolDelTgt(db, POOL1, 0, DATA))).toBe('NONEXIST');
    smdPoolDelTgt(db, POOL1, 1, DATA);
    expect(derOf(() => smdPoolGetInfo(db, POOL1))).toBe('NONEXIST');
    expect(derOf(() => smdPoolDelTgt(db, POOL1, 1, DATA))).toBe('NONEXIST');
    expect(smdPoolList(db)).toEqual([]);
  });

  it('keeps the size of a memory file that is smaller than its metadata, until the pool is gone', () => {
    smdPoolAddTgt(db, POOL1, { ...blob(0, META), scmBytes: 1 << 20 });
    smdPoolAddTgt(db, POOL1, blob(0, DATA));
    expect(smdPoolGetScmBytes(db, POOL1)).toBe(1 << 20);
    expect(smdPoolGetScmBytes(db, POOL2)).toBeUndefined();
    smdPoolDelTgt(db, POOL1, 0, META);
    expect(smdPoolGetScmBytes(db, POOL1)).toBe(1 << 20);
    smdPoolDelTgt(db, POOL1, 0, DATA);
    expect(smdPoolGetScmBytes(db, POOL1)).toBeUndefined();
  });

  it('marks metadata as in creation until the pool is ready', () => {
    for (const role of ALL) smdPoolAddTgt(db, POOL1, blob(0, role));
    const flags = (): boolean[] => ALL.map((role) => smdPoolGetInfo(db, POOL1, role).inCreation);
    expect(flags()).toEqual([false, true, false]);
    smdPoolMarkReady(db, POOL1);
    expect(flags()).toEqual([false, false, false]);
    expect(derOf(() => smdPoolMarkReady(db, POOL2))).toBe('NONEXIST');
  });

  it('puts new blobs in the place of those of a replaced device', () => {
    for (const target of [0, 1, 2]) smdPoolAddTgt(db, POOL1, blob(target, DATA));
    smdPoolReplaceBlobs(db, POOL1, DATA, new Map([[0, 7n], [2, 2n ** 64n - 1n]]));
    expect([0, 1, 2].map((target) => smdPoolGetBlob(db, POOL1, target, DATA))).toEqual([7n, 101n, 2n ** 64n - 1n]);
    expect(derOf(() => smdPoolReplaceBlobs(db, POOL1, DATA, new Map([[1, 5n], [9, 1n]])))).toBe('NONEXIST');
    expect(smdPoolGetBlob(db, POOL1, 1, DATA)).toBe(101n);
  });

  it('keeps the replicas of pool services apart from the pools', () => {
    smdRdbAddTgt(db, POOL1, blob(SYS_TARGET_ID, META));
    expect(smdRdbGetBlob(db, POOL1, SYS_TARGET_ID, META)).toBe(1124n);
    expect([smdRdbList(db, META).length, smdPoolList(db, META).length]).toEqual([1, 0]);
    expect(derOf(() => smdRdbAddTgt(db, POOL1, blob(SYS_TARGET_ID, META)))).toBe('EXIST');
    smdRdbDelTgt(db, POOL1, SYS_TARGET_ID, META);
    expect(derOf(() => smdRdbGetBlob(db, POOL1, SYS_TARGET_ID, META))).toBe('NONEXIST');
  });
});

describe('assignment at first start', () => {
  const load = (): Record<string, number> => Object.fromEntries(smdDevList(db).map(({ uuid, targets }) => [uuid, targets.length]));

  it('gives each target to the device with the fewest, and the system target too without counting it', () => {
    const devices = [{ uuid: DEV1, roles: DATA }, { uuid: DEV2, roles: DATA }, { uuid: DEV3, roles: DATA }];
    smdAssign(db, { devices, targets: 7, sysTarget: true });
    expect([0, 1, 2, 3, 4, 5, 6].map((target) => smdDevGetByTgt(db, target, DATA).uuid)).toEqual([DEV1, DEV2, DEV3, DEV1, DEV2, DEV3, DEV1]);
    expect(smdDevGetByTgt(db, SYS_TARGET_ID, DATA).uuid).toBe(DEV2);
    // the ninth target goes where only the counted ones are fewest
    smdAssign(db, { devices, targets: 8, sysTarget: true });
    expect(smdDevGetByTgt(db, 7, DATA).uuid).toBe(DEV2);
  });

  it('spreads each role over its own devices, and falls back where no device has a role', () => {
    const devices = [{ uuid: DEV1, roles: DATA }, { uuid: DEV2, roles: META }];
    smdAssign(db, { devices, targets: 2, sysTarget: false });
    expect([DATA, META].map((role) => smdDevGetByTgt(db, 1, role).uuid)).toEqual([DEV1, DEV2]);
    expect(derOf(() => smdDevGetByTgt(db, 1, WAL))).toBe('NONEXIST');
  });

  it('changes nothing at the next start, whatever the order of the devices', () => {
    const devices = [{ uuid: DEV1, roles: DATA | META | WAL }, { uuid: DEV2, roles: DATA | META | WAL }];
    smdAssign(db, { devices, targets: 4, sysTarget: true });
    const before = smdDevList(db);
    smdAssign(db, { devices: devices.toReversed(), targets: 4, sysTarget: true });
    expect(smdDevList(db)).toEqual(before);
    expect(load()).toEqual({ [DEV1]: 3, [DEV2]: 2 });
  });

  it('refuses to start without a device that targets are bound to, and tells which', () => {
    smdAssign(db, { devices: [{ uuid: DEV1, roles: DATA }, { uuid: DEV2, roles: DATA }], targets: 2, sysTarget: false });
    const missing: string[] = [];
    expect(derOf(() => smdAssign(db, { devices: [{ uuid: DEV1, roles: DATA }], targets: 3, sysTarget: false, unplugged: (uuid) => missing.push(uuid) }))).toBe('NONEXIST');
    expect(missing).toEqual([DEV2]);
    expect(derOf(() => smdDevGetByTgt(db, 2, DATA))).toBe('NONEXIST');
  });

  it('refuses devices of which none holds data, and binds nothing then', () => {
    expect(derOf(() => smdAssign(db, { devices: [{ uuid: DEV1, roles: META }], targets: 1, sysTarget: false }))).toBe('NONEXIST');
    expect(smdDevList(db)).toEqual([]);
  });
});

describe('the store', () => {
  it('holds what it was given when it is opened again', async () => {
    bind();
    smdPoolAddTgt(db, POOL1, { target: 0, role: DATA, blob: 1n, blobBytes: 4096 });
    const before = [smdDevList(db), smdPoolList(db)];
    await db.close();
    db = await SmdDb.open(path);
    expect([smdDevList(db), smdPoolList(db)]).toEqual(before);
  });

  it('refuses a version that it does not know, another LMDB file and a text, and changes nothing', async () => {
    const make = async (name: string, rows: Record<string, string>): Promise<string> => {
      const store = lmdb.open<string, string>(join(dir, name), { encoding: 'string', noSubdir: true });
      for (const [key, value] of Object.entries(rows)) await store.put(key, value);
      await store.close();
      return join(dir, name);
    };
    const text = join(dir, 'text');
    await writeFile(text, 'not a store');
    const cases = [[await make('newer', { version: '2', 'device/x': '{}' }), 'DF_INCOMPT'], [await make('other', { some: 'thing' }), 'DF_INCOMPT'], [text, 'DF_INVAL']];
    for (const [file, der] of cases as [string, string][]) {
      const before = await readFile(file);
      await expect(SmdDb.open(file)).rejects.toMatchObject({ der });
      expect((await readFile(file)).equals(before)).toBe(true);
    }
  });

  it('says which row is damaged', async () => {
    bind();
    await db.close();
    const store = lmdb.open<string, string>(path, { encoding: 'string', noSubdir: true });
    await store.put(`device/${DEV1}`, '{"state":"BROKEN","targets":[]}');
    await store.close();
    db = await SmdDb.open(path);
    expect(() => smdDevGetById(db, DEV1)).toThrow(expect.objectContaining({ der: 'DF_INVAL', message: expect.stringContaining(`device/${DEV1}`) }));
    expect(smdDevGetById(db, DEV2).targets).toEqual([3, 4, 5]);
  });

  it('does all of a change or nothing', () => {
    const uuid = uuidGenerate();
    expect(() => db.transaction(() => {
      smdDevAddTgt(db, uuid, 0, DATA);
      throw new Error('stop');
    })).toThrow('stop');
    expect(derOf(() => smdDevGetById(db, uuid))).toBe('NONEXIST');
    expect(derOf(() => smdDevGetByTgt(db, 0, DATA))).toBe('NONEXIST');
  });
});
