import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { vosPoolOpen, type VosContainer, type VosPool } from '../src/index.js';
import { poolOpen } from '../src/open_shards.js';
import { HASHED, array, bytes, single, unitOid } from './fixture.js';

const POOL = '3f0a1b2c-4d5e-4f60-8a7b-9c0d1e2f3a4b';
const CONTAINER = '11111111-2222-4333-8444-555555555555';
const FIXTURES = fileURLToPath(new URL('../../test/fixtures/layout-1/', import.meta.url));

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vos-upgrade-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Makes a folder of a stored shard. */
async function unpack(name: string): Promise<string> {
  const dir = join(root, name);
  await mkdir(dir);
  for (const file of await readdir(join(FIXTURES, name))) {
    await writeFile(join(dir, file.replace(/\.gz$/, '')), gunzipSync(await readFile(join(FIXTURES, name, file))));
  }
  return dir;
}

function value(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (seed * 31 + i * 7) & 255));
}

async function expectSingles(container: VosContainer): Promise<void> {
  const akeys = [['small', 32, 0], ['a key that is longer than fifteen bytes', 1500, 100], ['file', 6000, 200]] as const;
  for (const [akey, length, seed] of akeys) {
    for (const n of [1, 2, 3, 4, 5]) {
      for (const epoch of [10n * BigInt(n), 10n * BigInt(n) + 9n]) {
        const [found] = await container.fetch({ oid: unitOid(1), flavours: HASHED, epoch, flags: 0, dkey: bytes('singles'), iods: [single(bytes(akey), 0)] });
        const isPunched = akey === 'small' && epoch >= 60n;
        expect(Buffer.compare(found?.pieces[0]?.data ?? bytes(''), isPunched ? bytes('') : value(length, n + seed))).toBe(0);
      }
    }
  }
  const request = { oid: unitOid(1), flavours: HASHED, epoch: 60n, flags: 0, dkey: bytes('singles'), iods: [single(bytes('small'), 0)] };
  expect((await container.fetch(request))[0]?.size).toBe(0);
}

/** The array at some epochs against what the extents say. */
async function expectArrays(container: VosContainer): Promise<void> {
  for (const epoch of [99n, 100n, 130n, 159n, 200n, 500n]) {
    const expected = Buffer.alloc(1600);
    for (let i = 0; i < 60; i++) if (100n + BigInt(i) <= epoch) expected.set(value(64, i), 24 * i);
    if (epoch >= 200n) expected.fill(0, 100, 150);
    expect(Buffer.compare(await fetchArray(container, 'extents', 1, 0, 1600, epoch), expected)).toBe(0);
  }
  expect(Buffer.compare(await fetchArray(container, 'few', 4, 10, 5, 300n), value(20, 1))).toBe(0);
  expect(Buffer.compare(await fetchArray(container, 'large', 1, 0, 8192, 300n), value(8192, 2))).toBe(0);
}

async function fetchArray(container: VosContainer, akey: string, size: number, idx: number, nr: number, epoch: bigint): Promise<Buffer> {
  const request = { oid: unitOid(2), flavours: HASHED, epoch, flags: 0, dkey: bytes('array'), iods: [array(bytes(akey), size, [idx, nr])] };
  const [found] = await container.fetch(request);
  const data = Buffer.alloc(nr * size);
  for (const { recx, data: piece } of found?.pieces ?? []) data.set(piece, (Number(recx.idx) - idx) * size);
  return data;
}

async function expectIncarnations(container: VosContainer): Promise<void> {
  for (const [epoch, expected] of [[299n, 0], [300n, 8], [309n, 8], [310n, 0], [319n, 0], [320n, 9], [900n, 9]] as const) {
    const [found] = await container.fetch({ oid: unitOid(3), flavours: HASHED, epoch, flags: 0, dkey: bytes('d'), iods: [single(bytes('a'), 0)] });
    expect(Buffer.compare(found?.pieces[0]?.data ?? bytes(''), value(expected, expected === 8 ? 3 : 4))).toBe(0);
  }
}

async function expectAll(pool: VosPool, objects = 3): Promise<void> {
  expect(pool.containerList()).toEqual([CONTAINER]);
  const container = pool.containerOpen(CONTAINER);
  expect(container.query().objectCount).toBe(objects);
  await expectSingles(container);
  await expectArrays(container);
  await expectIncarnations(container);
  container.close();
}

describe.each(['shard', 'crashed'])('a stored %s of layout version 1', (name) => {
  it('is upgraded when it is opened, and everything is there, then and after a reopen', async () => {
    const dir = await unpack(name);
    const steps: string[] = [];
    const pool = await poolOpen({ dir, uuid: POOL }, undefined, async (step) => void steps.push(step));
    expect(steps).toEqual(['arrays', 'container', 'space']);
    expect(pool.query()).toMatchObject({ layoutVersion: 2, containerCount: 1 });
    await expectAll(pool);
    await pool.close();
    const again = await poolOpen({ dir, uuid: POOL }, undefined, () => Promise.reject(new Error('it is upgraded already')));
    await expectAll(again);
    const container = again.containerOpen(CONTAINER);
    const update = { oid: unitOid(9), flavours: HASHED, epoch: 1000n, flags: 0, dkey: bytes('n'), iods: [single(bytes('n'), 5000)], values: [value(5000, 7)] };
    await container.update(update);
    const recxs = { oid: unitOid(2), flavours: HASHED, epr: { lo: 0n, hi: 1000n }, limit: 500, dkey: bytes('array'), akey: bytes('extents') };
    // of 60 overlapping extents the hole at [100, 150) hides one wholly
    expect(container.listRecxs(recxs).items).toHaveLength(59);
    container.close();
    await expectAll(again, 4);
    await again.close();
  });

  it('is as it was when the process is killed between two steps of the upgrade', async () => {
    const dir = await unpack(name);
    const copies: string[] = [];
    const pool = await poolOpen({ dir, uuid: POOL }, undefined, async (step) => {
      const copy = join(root, `copy-${copies.length}-${step}`);
      await cp(dir, copy, { recursive: true });
      copies.push(copy);
    });
    await pool.close();
    expect(copies).toHaveLength(3);
    for (const copy of copies) {
      const steps: string[] = [];
      const found = await poolOpen({ dir: copy, uuid: POOL }, undefined, async (step) => void steps.push(step));
      expect(steps).toHaveLength(3);
      await expectAll(found);
      await found.close();
    }
  });

  it('can be read without an upgrade', async () => {
    const dir = await unpack(name);
    const pool = await vosPoolOpen({ dir, uuid: POOL, readOnly: true });
    expect(pool.query().layoutVersion).toBe(1);
    await expectAll(pool, 0);
    await pool.close();
    const upgraded = await vosPoolOpen({ dir, uuid: POOL });
    await expectAll(upgraded);
    await upgraded.close();
  });
});
