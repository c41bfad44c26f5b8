import { EPOCH_MAX } from '@daos/common';

import { AggregateFlag } from '../../src/index.js';
import { HASHED, TestObject, bytes, single, unitOid } from '../fixture.js';
import { AKEY, DKEY, Rig } from './rig.js';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.create();
});

afterEach(() => rig.destroy());

async function write(from: number, to: number, size = 32): Promise<void> {
  for (let epoch = from; epoch <= to; epoch++) {
    await rig.object.updateSingle(BigInt(epoch), DKEY, AKEY, Buffer.alloc(size, 64 + epoch));
  }
}

function punchValue(epoch: number): Promise<void> {
  return rig.object.update(BigInt(epoch), DKEY, [single(AKEY, 0)], [new Uint8Array(0)]);
}

describe('aggregation of single values (28.13 93)', () => {
  it.each([
    ['in the index', 32],
    ['in records of their own', 3000],
    ['in the data file', 4608],
  ])('leaves one of ten versions %s in the range', async (_where, size) => {
    await write(1, 10, size);
    const before = await Promise.all([3, 6, 8, 10].map((epoch) => rig.see(epoch)));
    await rig.aggregate(4, 6);
    expect(rig.stored(4, 6).map(({ epoch }) => epoch)).toEqual([6n]);
    expect(rig.stored()).toHaveLength(8);
    expect(await Promise.all([3, 6, 8, 10].map((epoch) => rig.see(epoch)))).toEqual(before);
    expect(rig.container.query().hae).toBe(6n);
  });

  it('leaves a punched value that is the newest of the range', async () => {
    await write(1, 10);
    for (const epoch of [3, 6]) await punchValue(epoch);
    const before = await rig.see(9);
    await rig.aggregate(2, 6);
    expect(rig.stored(2, 6).map(({ epoch, size }) => [epoch, size])).toEqual([[6n, 0]]);
    expect(await rig.see(6)).not.toContain('= ');
    expect(await rig.see(9)).toBe(before);
  });

  it('gives the blocks of the others back', async () => {
    await write(1, 10, 5000);
    const { totalBytes } = rig.test.pool.query().nvme;
    expect(rig.test.pool.query().nvme.freeBytes).toBe(totalBytes - 10 * 8192);
    await rig.aggregate(0, 10);
    expect(rig.test.pool.query().nvme.freeBytes).toBe(totalBytes - 8192);
  });

  it('skips what is aggregated already, unless the scan is forced', async () => {
    await write(1, 4);
    await rig.aggregate(0, 8);
    // late, at an epoch that was aggregated
    await write(5, 7);
    await rig.aggregate(0, 8);
    expect(rig.stored()).toHaveLength(4);
    await rig.aggregate(0, 8, AggregateFlag.FORCE_SCAN);
    expect(rig.stored().map(({ epoch }) => epoch)).toEqual([7n]);
  });

  it('keeps the state at snapshots and collapses what lies between them (15.5)', async () => {
    for (const epoch of [10, 20, 30, 40]) await write(epoch, epoch);
    await rig.aggregate(0, 25);
    await rig.aggregate(26, 35);
    expect(rig.stored().map(({ epoch }) => epoch)).toEqual([40n, 30n, 20n]);
    expect(await rig.object.fetchSingle(25n, DKEY, AKEY)).toBe(Buffer.alloc(32, 84).toString());
    expect(await rig.object.fetchSingle(15n, DKEY, AKEY)).toBe('');
  });
});

describe('aggregation of many keys (28.13 94)', () => {
  it.each([
    ['objects of dkeys and akeys', HASHED, [0, 1, 2]],
    ['objects without akeys', { ...HASHED, isFlat: true }, [0]],
  ])('leaves one version of each value in the range: %s', async (_what, flavours, akeys) => {
    const keys = [0, 1, 2];
    const all = keys.flatMap((o) => keys.flatMap((d) => akeys.map((a) => ({ o, d, a }))));
    for (let epoch = 1; epoch <= 300; epoch++) {
      const { o, d, a } = all[(epoch * 7) % all.length] as { o: number; d: number; a: number };
      await new TestObject(rig.container, unitOid(o), flavours).updateSingle(BigInt(epoch), bytes(`d${d}`), bytes(`a${a}`), `v${epoch}`);
    }
    const before = await rig.see(300);
    await rig.aggregate(100, 300);
    for (const { o, d, a } of all) {
      expect(rig.stored(100, 300, rig.akey(bytes(`d${d}`), bytes(`a${a}`), unitOid(o)))).toHaveLength(1);
    }
    expect(await rig.see(300)).toBe(before);
  });
});

describe('aggregation of punched keys (28.13 98)', () => {
  it('removes what was made and punched in the range, at every level, with all below it', async () => {
    const one = new TestObject(rig.container, unitOid(1));
    const two = new TestObject(rig.container, unitOid(2));
    for (let i = 0; i < 20; i++) {
      await one.updateSingle(5n, bytes(`d${i}`), AKEY, 'x');
      await two.updateArray(5n, bytes(`d${i}`), AKEY, 0, 'text');
    }
    await one.punch(7n);
    await two.punch(7n, bytes('d3'));
    await two.punch(7n, bytes('d4'), [AKEY]);
    const before = await rig.see(9);
    await rig.aggregate(0, 9);
    expect(await rig.see(9)).toBe(before);
    await rig.test.pool.settled();
    expect(rig.test.pool.gcStatistics()).toMatchObject({ objs: 1, dkeys: 22, akeys: 22, singvs: 20, recxs: 2 });
    expect(rig.container.query().objectCount).toBe(1);
  });

  it('keeps a key that was punched before the range, and its past', async () => {
    await rig.object.updateSingle(2n, DKEY, AKEY, 'old');
    await rig.object.punch(5n, DKEY);
    await rig.object.updateSingle(6n, DKEY, AKEY, 'mid');
    await rig.object.punch(7n, DKEY);
    await rig.object.updateSingle(8n, DKEY, AKEY, 'new');
    const epochs = [3, 9, 12];
    const before = await Promise.all(epochs.map((epoch) => rig.see(epoch)));
    await rig.aggregate(4, 9);
    expect(await Promise.all(epochs.map((epoch) => rig.see(epoch)))).toEqual(before);
    expect(rig.stored().map(({ epoch }) => epoch)).toEqual([8n, 2n]);
    // once more: nothing changes
    await rig.aggregate(4, 9, AggregateFlag.FORCE_SCAN);
    expect(rig.stored().map(({ epoch }) => epoch)).toEqual([8n, 2n]);
  });

  it('leaves a punch that hides what lies before the range', async () => {
    await rig.object.updateSingle(2n, DKEY, AKEY, 'old');
    await rig.object.punch(5n);
    await rig.aggregate(3, 9);
    expect(await rig.see(2)).toContain(Buffer.from('old').toString('hex'));
    expect(await rig.see(9)).toBe('');
    await rig.aggregate(0, 10, AggregateFlag.FORCE_SCAN);
    expect(rig.akey()).toBeUndefined();
    expect(rig.container.query().objectCount).toBe(0);
  });

  it('removes an object that was only ever punched', async () => {
    await rig.object.punch(5n, DKEY, [AKEY]);
    await rig.aggregate(0, 4);
    expect(rig.akey()).toBeDefined();
    await rig.aggregate(0, 9);
    expect(rig.container.query().objectCount).toBe(0);
  });
});

describe('conditions and aggregation (28.13 99)', () => {
  it('give the same answers before and after, also for an akey with punched values only', async () => {
    await punchValue(2);
    await punchValue(3);
    const look = async (): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (const key of [AKEY, bytes('none')]) {
        const request = { oid: unitOid(1), flavours: HASHED, epoch: EPOCH_MAX, flags: 1 << 6, dkey: DKEY, iods: [single(key, 0)] };
        answers.push(await Promise.resolve().then(() => rig.container.fetch(request)).then(() => 'there', (error: { der: string }) => error.der));
      }
      return answers;
    };
    const before = await look();
    expect(before).toEqual(['there', 'NONEXIST']);
    await rig.aggregate(0, 9);
    expect(await look()).toEqual(before);
    await expect(rig.object.updateSingle(11n, DKEY, AKEY, 'x', 1 << 4)).rejects.toMatchObject({ der: 'EXIST' });
    await rig.object.updateSingle(12n, DKEY, AKEY, 'x', 1 << 5);
  });
});
