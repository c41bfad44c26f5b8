import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { uuidGenerate } from '@daos/common';

import { DF_VERSION, PoolCompat, VosPoolFlag, vosPoolCreate, vosPoolDestroy, vosPoolKill, vosPoolOpen } from '../src/index.js';
import { MIB, TestObject, bytes } from './fixture.js';

const { EXCL, SMALL, SKIP_UUID_CHECK, FOR_CHECK_QUERY } = VosPoolFlag;
const BUSY = { der: 'BUSY' };
const D = bytes('d');
const A = bytes('a');

let root: string;
let dir: string;
const uuid = uuidGenerate();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vos-life-'));
  dir = join(root, 'shard');
});
afterEach(() => rm(root, { recursive: true, force: true }));

function create(more: { version?: number; flags?: number; dataPath?: string } = {}): Promise<void> {
  return vosPoolCreate({ dir, uuid, scmBytes: 4 * MIB, nvmeBytes: 2 * MIB, ...more });
}

describe('several opens of one shard', () => {
  it('share it; destroy is busy until the last is closed', async () => {
    await create();
    const handles = await Promise.all([1, 2, 3].map(() => vosPoolOpen({ dir, uuid })));
    const [first, second, third] = handles;
    const container = uuidGenerate();
    await first?.containerCreate(container);
    expect(second?.containerList()).toEqual([container]);
    await first?.close();
    await first?.close();
    expect(() => first?.containerList()).toThrow(expect.objectContaining({ der: 'NO_HDL' }));
    await expect(vosPoolDestroy(dir)).rejects.toMatchObject(BUSY);
    await second?.close();
    expect(third?.containerList()).toEqual([container]);
    await expect(vosPoolDestroy(dir)).rejects.toMatchObject(BUSY);
    await third?.close();
    await vosPoolDestroy(dir);
    expect(existsSync(dir)).toBe(false);
  });

  it.each([
    ['the first is exclusive', EXCL, 0],
    ['the second wants to be exclusive', 0, EXCL],
    ['both are exclusive', EXCL, EXCL],
    ['the first is of a small pool', SMALL, 0],
  ])('are refused when %s, and fine after the close', async (_, firstFlags, secondFlags) => {
    await create();
    const first = await vosPoolOpen({ dir, uuid, flags: firstFlags });
    await expect(vosPoolOpen({ dir, uuid, flags: secondFlags })).rejects.toMatchObject(BUSY);
    const query = await vosPoolOpen({ dir, uuid, flags: FOR_CHECK_QUERY });
    await query.close();
    await first.close();
    await (await vosPoolOpen({ dir, uuid, flags: secondFlags })).close();
  });

  it('go to the UUID that the shard has, and to no other way around it', async () => {
    await create();
    const pool = await vosPoolOpen({ dir, uuid });
    await expect(vosPoolOpen({ dir, uuid: uuidGenerate() })).rejects.toMatchObject({ der: 'ID_MISMATCH' });
    await expect(vosPoolOpen({ dir, uuid, flags: SKIP_UUID_CHECK })).rejects.toMatchObject({ der: 'NOTSUPPORTED' });
    await pool.close();
  });

  it('leave nothing behind when they fail', async () => {
    await create();
    await expect(vosPoolOpen({ dir, uuid: uuidGenerate() })).rejects.toMatchObject({ der: 'ID_MISMATCH' });
    await (await vosPoolOpen({ dir, uuid })).close();
  });
});

describe('a killed shard', () => {
  it('is busy at once, not opened again, and loses its data with the last handle', async () => {
    await create();
    const one = await vosPoolOpen({ dir, uuid });
    const two = await vosPoolOpen({ dir, uuid });
    await expect(vosPoolKill(dir)).rejects.toMatchObject(BUSY);
    await expect(vosPoolOpen({ dir, uuid })).rejects.toMatchObject(BUSY);
    await one.close();
    expect(existsSync(join(dir, 'data'))).toBe(true);
    await two.close();
    expect(existsSync(join(dir, 'data'))).toBe(false);
    await vosPoolDestroy(dir);
  });

  it('without handles loses its data at once', async () => {
    await create();
    await vosPoolKill(dir);
    expect(existsSync(join(dir, 'data'))).toBe(false);
    await vosPoolDestroy(dir);
  });
});

describe('versions', () => {
  it('are DAOS numbers; others are refused when a shard is made', async () => {
    for (const version of [0.5, 1, 22, 29]) await expect(create({ version })).rejects.toMatchObject({ der: 'INVAL' });
    for (const version of [DF_VERSION.V1, DF_VERSION.V2_4, DF_VERSION.CURRENT]) {
      await create({ version });
      const pool = await vosPoolOpen({ dir, uuid });
      expect(pool.query()).toMatchObject({ formatVersion: version, layoutVersion: 2, compat: 0n, incompat: 0n });
      await pool.close();
      await vosPoolDestroy(dir);
    }
  });

  it('only rise by an upgrade, which keeps the data', async () => {
    await create({ version: DF_VERSION.V2_4 });
    const pool = await vosPoolOpen({ dir, uuid });
    const container = uuidGenerate();
    await pool.containerCreate(container);
    const object = new TestObject(pool.containerOpen(container));
    const value = 'x'.repeat(5000);
    await object.updateSingle(1n, D, A, value);
    await expect(pool.upgrade(99)).rejects.toMatchObject({ der: 'INVAL' });
    await pool.upgrade(DF_VERSION.V1);
    expect(pool.query().formatVersion).toBe(DF_VERSION.V2_4);
    await pool.upgrade(DF_VERSION.CURRENT);
    await object.updateSingle(2n, D, A, value);
    await pool.close();
    const again = await vosPoolOpen({ dir, uuid });
    expect(again.query().formatVersion).toBe(DF_VERSION.CURRENT);
    const found = new TestObject(again.containerOpen(container));
    expect(await found.fetchSingle(1n, D, A)).toBe(value);
    expect(await found.fetchSingle(2n, D, A)).toBe(value);
    await again.close();
  });

  it('that are unknown are left alone: DER_DF_INCOMPT; destroy takes the data file along, wherever it is', async () => {
    const dataPath = join(root, 'elsewhere');
    await create({ dataPath });
    const path = join(dir, 'superblock');
    const block = await readFile(path);
    block.writeUInt32LE(99, 4);
    await writeFile(path, block);
    await expect(vosPoolOpen({ dir, uuid })).rejects.toMatchObject({ der: 'DF_INCOMPT' });
    expect(Buffer.compare(block, await readFile(path))).toBe(0);
    await vosPoolDestroy(dir);
    expect(existsSync(dataPath)).toBe(false);
  });
});

describe('compat flags', () => {
  it('are changed, shown, and kept', async () => {
    await create();
    const pool = await vosPoolOpen({ dir, uuid });
    expect(pool.query()).toMatchObject({ compat: 0n, incompat: 0n });
    await pool.setCompat(PoolCompat.IMMUTABLE | PoolCompat.SKIP_REBUILD);
    await expect(pool.setCompat(1n << 40n)).rejects.toMatchObject({ der: 'INVAL' });
    await pool.close();
    const again = await vosPoolOpen({ dir, uuid });
    expect(again.query().compat).toBe(PoolCompat.IMMUTABLE | PoolCompat.SKIP_REBUILD);
    await again.setCompat(PoolCompat.SKIP_REBUILD);
    expect(again.query().compat).toBe(PoolCompat.SKIP_REBUILD);
    await again.close();
  });
});

describe('a shard open to be read', () => {
  it('shows what is there and refuses every change', async () => {
    await create();
    const pool = await vosPoolOpen({ dir, uuid });
    const container = uuidGenerate();
    await pool.containerCreate(container);
    await new TestObject(pool.containerOpen(container)).updateSingle(1n, D, A, 'kept');
    await pool.close();
    const files = ['superblock', 'log.0', 'log.1', 'data'];
    const before = await Promise.all(files.map((name) => readFile(join(dir, name))));
    const reader = await vosPoolOpen({ dir, uuid, readOnly: true });
    await expect(vosPoolOpen({ dir, uuid })).rejects.toMatchObject(BUSY);
    const object = new TestObject(reader.containerOpen(container));
    expect(await object.fetchSingle(1n, D, A)).toBe('kept');
    const refused = { der: 'NO_PERM' };
    await expect(object.updateSingle(2n, D, A, 'new')).rejects.toMatchObject(refused);
    await expect(object.punch(2n)).rejects.toMatchObject(refused);
    await expect(reader.containerCreate(uuidGenerate())).rejects.toMatchObject(refused);
    object.container.close();
    await expect(reader.containerDestroy(container)).rejects.toMatchObject(refused);
    await expect(reader.upgrade(DF_VERSION.CURRENT)).rejects.toMatchObject(refused);
    await reader.close();
    const after = await Promise.all(files.map((name) => readFile(join(dir, name))));
    expect(after.map((bytes, i) => Buffer.compare(bytes, before[i] as Buffer))).toEqual([0, 0, 0, 0]);
  });
});

describe('the lock of a shard', () => {
  it('that cannot be read is no free shard', async () => {
    await create();
    const owner = join(dir, 'owner');
    await mkdir(owner);
    for (const attempt of [() => vosPoolOpen({ dir, uuid }), () => vosPoolDestroy(dir)]) {
      await expect(attempt()).rejects.toMatchObject({ der: 'IO', message: expect.stringContaining(owner) as string });
    }
    await rm(owner, { recursive: true });
    await (await vosPoolOpen({ dir, uuid })).close();
  });

  it('is taken over where it is no lock at all', async () => {
    await create();
    await writeFile(join(dir, 'owner'), '{"pid": 1');
    await (await vosPoolOpen({ dir, uuid })).close();
    expect(existsSync(join(dir, 'owner'))).toBe(false);
  });
});

describe('changes of the superblock at the same time', () => {
  it('are all there in the end', async () => {
    await create({ version: DF_VERSION.V2_4 });
    const pool = await vosPoolOpen({ dir, uuid });
    await Promise.all([pool.upgrade(DF_VERSION.CURRENT), pool.setCompat(PoolCompat.SKIP_START), pool.upgrade(DF_VERSION.V2_6)]);
    await pool.close();
    const again = await vosPoolOpen({ dir, uuid });
    expect(again.query()).toMatchObject({ formatVersion: DF_VERSION.CURRENT, compat: PoolCompat.SKIP_START });
    await again.close();
  });
});

describe('another process', () => {
  it('keeps a shard to itself until it ends, even by SIGKILL; a copy of its folder is free', async () => {
    await create();
    const child = spawn(process.execPath, [fileURLToPath(new URL('./open_child.js', import.meta.url)), dir, uuid], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    await expect(vosPoolOpen({ dir, uuid })).rejects.toMatchObject({ der: 'BUSY', message: expect.stringContaining(`process ${child.pid}`) as string });
    await expect(vosPoolDestroy(dir)).rejects.toMatchObject(BUSY);
    await cp(dir, `${dir}x`, { recursive: true });
    await (await vosPoolOpen({ dir: `${dir}x`, uuid })).close();
    child.kill('SIGKILL');
    await ended;
    const pool = await vosPoolOpen({ dir, uuid });
    expect(existsSync(join(dir, 'owner'))).toBe(true);
    await pool.close();
    expect(existsSync(join(dir, 'owner'))).toBe(false);
  });
});
