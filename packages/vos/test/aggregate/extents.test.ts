import { AggregateFlag } from '../../src/index.js';
import type { AkeyHead } from '../../src/layout/head.js';
import { MIB, array } from '../fixture.js';
import { AKEY, DKEY, Rig } from './rig.js';

const { FORCE_MERGE, FORCE_SCAN } = AggregateFlag;
let rig: Rig;

beforeEach(async () => {
  rig = await Rig.create();
});

afterEach(() => rig.destroy());

const write = (epoch: number, at: number, text: string): Promise<void> => rig.object.updateArray(BigInt(epoch), DKEY, AKEY, at, text);
const punch = (epoch: number, at: number, nr: number): Promise<void> => rig.object.punchArray(BigInt(epoch), DKEY, AKEY, at, nr);
const writeBytes = (epoch: number, at: number, data: Uint8Array): Promise<void> =>
  rig.object.update(BigInt(epoch), DKEY, [array(AKEY, 1, [at, data.length])], [data]);

/** Undoes versions, as an array's removal does. */
async function remove(at: number, nr: number, lo: number, hi: number): Promise<void> {
  const { heads, extents, umem } = rig.state.store;
  const head = rig.akey() as AkeyHead;
  extents.removeAll(head, BigInt(at), BigInt(at + nr - 1), { lo: BigInt(lo), hi: BigInt(hi) });
  heads.modified(head);
  await umem.durable();
}

const extents = (): string[] => rig.stored().map(({ lo, hi, epoch, size }) => `${lo}-${hi}@${epoch}${size === 0 ? ' hole' : ''}`);

/** Aggregates all, and checks that the picture stays. */
async function merge(hi: number, flags: number = FORCE_MERGE): Promise<string[]> {
  const before = await rig.see(hi);
  await rig.aggregate(0, hi, flags | FORCE_SCAN);
  expect(await rig.see(hi)).toBe(before);
  return extents();
}

describe('aggregation of extents, merge forced (28.13 95)', () => {
  it('leaves a single record as it is, also a hole', async () => {
    await write(3, 10, 'abc');
    expect(await merge(9)).toEqual(['10-12@3']);
    await punch(12, 10, 3);
    expect(await merge(19)).toEqual(['10-12@12 hole']);
  });

  it('leaves records that do not meet', async () => {
    await punch(1, 0, 3);
    await write(2, 10, 'abc');
    await write(3, 20, 'def');
    expect(await merge(9)).toEqual(['0-2@1 hole', '10-12@2', '20-22@3']);
  });

  it('makes one record of data that meets, and one of holes that meet', async () => {
    await write(1, 0, 'aa');
    await write(2, 2, 'bb');
    await punch(3, 4, 2);
    await punch(4, 6, 2);
    await write(5, 8, 'ee');
    expect(await merge(9)).toEqual(['0-3@2', '4-7@4 hole', '8-9@5']);
    expect(rig.stored(0, 9).map(({ minor }) => minor)).toEqual([16383, 16383, 16383]);
  });

  it('cuts what shows out of records that overlap', async () => {
    await write(1, 0, 'aaaa');
    await write(2, 2, 'bbbb');
    await punch(3, 4, 4);
    await punch(4, 6, 4);
    await write(5, 8, 'eeee');
    expect(await merge(9)).toEqual(['0-3@2', '4-7@4 hole', '8-11@5']);
  });

  it('leaves the newest of three that cover each other', async () => {
    for (const epoch of [1, 2, 3]) await write(epoch, 0, 'abc');
    expect(await merge(9, 0)).toEqual(['0-2@3']);
  });

  it('leaves records alone that are older or newer than the range', async () => {
    await write(1, 0, 'aa');
    await write(5, 2, 'bb');
    await write(6, 4, 'cc');
    await write(20, 4, 'xx');
    const epochs = [1, 10, 20];
    const before = await Promise.all(epochs.map((epoch) => rig.see(epoch)));
    await rig.aggregate(3, 10, FORCE_MERGE);
    expect(extents().sort()).toEqual(['0-1@1', '2-5@6', '4-5@20']);
    expect(await Promise.all(epochs.map((epoch) => rig.see(epoch)))).toEqual(before);
  });

  it('makes records of 8 MiB at most, and cuts one that reaches from window to window', async () => {
    await writeBytes(1, 0, Buffer.alloc(6 * MIB, 1));
    await writeBytes(2, 6 * MIB, Buffer.alloc(6 * MIB, 2));
    await writeBytes(3, 4 * MIB, Buffer.alloc(4 * MIB, 3));
    await punch(4, 9 * MIB, MIB);
    const before = await rig.see(9);
    await rig.aggregate(0, 9, FORCE_MERGE);
    expect(await rig.see(9)).toBe(before);
    const records = rig.stored();
    const visible = 11 * MIB;
    expect(records.filter(({ isHole }) => isHole).map(({ lo, hi }) => [lo, hi])).toEqual([[BigInt(9 * MIB), BigInt(10 * MIB) - 1n]]);
    // every byte stands in one record only
    expect(records.reduce((sum, { dataBytes }) => sum + dataBytes, 0)).toBe(visible);
    expect(Math.max(...records.map(({ dataBytes }) => dataBytes))).toBeLessThanOrEqual(8 * MIB);
    const { nvme } = rig.test.pool.query();
    expect(nvme.totalBytes - nvme.freeBytes).toBe(visible);
  });
});

describe('what is worth a rewrite (15.3)', () => {
  it('is not two small neighbours; fifteen are', async () => {
    for (let i = 0; i < 14; i++) await write(i + 1, i * 10, '0123456789');
    expect(await merge(50, 0)).toHaveLength(14);
    await write(15, 140, '0123456789');
    expect(await merge(50, 0)).toEqual(['0-149@15']);
  });

  it('is small records that together are large enough for the data file', async () => {
    for (let i = 0; i < 5; i++) await writeBytes(i + 1, i * 1000, Buffer.alloc(1000, i));
    const { nvme } = rig.test.pool.query();
    expect(nvme.freeBytes).toBe(nvme.totalBytes);
    expect(await merge(9, 0)).toEqual(['0-4999@5']);
    expect(rig.test.pool.query().nvme.freeBytes).toBe(nvme.totalBytes - 8192);
  });

  it('is not 255 blocks in the data file, unless forced; 256 are (28.13 101)', async () => {
    for (let i = 0; i < 255; i++) await writeBytes(i + 1, i * 4096, Buffer.alloc(4096, i));
    expect(await merge(999, 0)).toHaveLength(255);
    expect(await merge(999)).toEqual([`0-${255 * 4096 - 1}@255`]);
    await writeBytes(1000, 255 * 4096, Buffer.alloc(4096, 1));
    expect(await merge(1009, 0)).toEqual([`0-${256 * 4096 - 1}@1000`]);
  });

  it('is a record that is covered in part: the space of what does not show comes back', async () => {
    await writeBytes(1, 0, Buffer.alloc(MIB, 1));
    await writeBytes(2, 4096, Buffer.alloc(4096, 2));
    expect(await merge(9, 0)).toEqual([`0-${MIB - 1}@2`]);
    const { nvme } = rig.test.pool.query();
    expect(nvme.totalBytes - nvme.freeBytes).toBe(MIB);
  });
});

describe('aggregation of removals (28.13 100)', () => {
  it('drops a removal with all that it undoes', async () => {
    await write(1, 0, 'aaaaaaaaaa');
    await write(2, 2, 'bbb');
    await remove(0, 10, 2, 2);
    expect(rig.stored()).toHaveLength(3);
    expect(await merge(9)).toEqual(['0-9@1']);
  });

  it('cuts what it undoes in part', async () => {
    await write(2, 0, 'aaaaaaaaaa');
    await remove(5, 100, 2, 2);
    expect(await merge(9, 0)).toEqual(['0-4@2']);
    await write(12, 20, 'bbbbbbbbbb');
    await remove(22, 3, 12, 12);
    expect(await merge(19, 0)).toEqual(['0-4@2', '20-21@12', '25-29@12']);
  });

  it('lets what lies below come up again, and does not undo what is merged later', async () => {
    await write(1, 0, 'aaaaaaaaaa');
    await write(2, 5, 'bbbbbbbbbb');
    await remove(5, 5, 2, 2);
    expect(await merge(9)).toEqual(['0-14@2']);
    expect(await rig.object.fetchArray(9n, DKEY, AKEY, 0, 15)).toBe('aaaaaaaaaabbbbb');
  });

  it('leaves nothing of an array of which all is removed, in many small removals', async () => {
    await write(1, 0, '0123456789'.repeat(4));
    for (let i = 0; i < 40; i++) await remove(i, 1, 1, 1);
    expect(await merge(9)).toEqual([]);
  });

  it('may reach over windows', async () => {
    for (let i = 0; i < 6; i++) await writeBytes(5, i * 3 * MIB, Buffer.alloc(3 * MIB, i));
    await remove(2 * MIB, 11 * MIB, 5, 5);
    const before = await rig.see(9);
    await rig.aggregate(0, 9, FORCE_MERGE);
    expect(await rig.see(9)).toBe(before);
    expect(rig.stored().every(({ minor }) => minor !== 0xffff)).toBe(true);
    expect(rig.stored().reduce((sum, { dataBytes }) => sum + dataBytes, 0)).toBe(7 * MIB);
  });
});
