import { EPOCH_MAX } from '@daos/common';

import { HASHED, TestObject, bytes, single, unitOid } from '../fixture.js';
import { AKEY, DKEY, Rig } from './rig.js';

const ARRAY = bytes('array');
let rig: Rig;

beforeEach(async () => {
  rig = await Rig.create();
});

afterEach(() => rig.destroy());

/** Versions 1 to 10 of a single value and of an array; some of them punched. */
async function fill(punched: readonly number[] = []): Promise<void> {
  for (let epoch = 1; epoch <= 10; epoch++) {
    const at = BigInt(epoch);
    if (punched.includes(epoch)) {
      await rig.object.update(at, DKEY, [single(AKEY, 0)], [new Uint8Array(0)]);
      await rig.object.punchArray(at, DKEY, ARRAY, epoch, 3);
    } else {
      await rig.object.updateSingle(at, DKEY, AKEY, `v${epoch}`);
      await rig.object.updateArray(at, DKEY, ARRAY, epoch, 'abc');
    }
  }
}

describe('discard of an epoch range (28.14 103)', () => {
  it.each([
    ['one epoch', 5n, 5n, []],
    ['some epochs', 4n, 6n, []],
    ['some epochs with punches', 3n, 7n, [4, 6]],
    ['all from an epoch on', 5n, EPOCH_MAX, [3, 8]],
  ] as const)('removes all versions of %s and no others', async (_what, lo, hi, punched) => {
    await fill(punched);
    const before = await rig.see(lo - 1n);
    const others = (head = rig.akey()): bigint[] => rig.stored(0, EPOCH_MAX, head).map(({ epoch }) => epoch).filter((epoch) => epoch < lo || epoch > hi);
    const kept = [others(), others(rig.akey(DKEY, ARRAY))];
    await rig.discard(lo, hi);
    for (const head of [rig.akey(), rig.akey(DKEY, ARRAY)]) expect(rig.stored(lo, hi, head)).toEqual([]);
    expect([others(), others(rig.akey(DKEY, ARRAY))]).toEqual(kept);
    expect(await rig.see(hi < 11n ? hi : 11n)).toBe(before);
  });
});

describe('discard of everything (28.14 104, 105)', () => {
  it('removes the objects', async () => {
    await fill();
    await rig.discard(0n, EPOCH_MAX);
    expect(rig.akey()).toBeUndefined();
    expect(rig.container.query().objectCount).toBe(0);
    expect(rig.container.listObjects({ lo: 0n, hi: EPOCH_MAX }, 10).items).toEqual([]);
  });

  it.each([
    ['with akeys', HASHED],
    ['without akeys', { ...HASHED, isFlat: true }],
  ])('comes to an end with more keys than a slice has credits: objects %s', async (_what, flavours) => {
    const writes: Promise<void>[] = [];
    for (let i = 0; i < 400; i++) {
      const object = new TestObject(rig.container, unitOid(i % 4), flavours);
      const [dkey, akey] = flavours === HASHED ? [i % 3, i] : [i, 0];
      writes.push(object.updateSingle(BigInt(i + 1), bytes(`d${dkey}`), bytes(`a${akey}`), 'x'));
    }
    await Promise.all(writes);
    const before = await rig.see(100);
    await rig.discard(101n, EPOCH_MAX);
    expect(await rig.see(500)).toBe(before);
    await rig.discard(1n, EPOCH_MAX);
    expect(rig.container.query().objectCount).toBe(0);
    await rig.test.pool.settled();
    expect(rig.test.pool.gcStatistics()).toMatchObject({ objs: 4, akeys: 400 });
  });
});

describe('discard of punched keys (28.14 106)', () => {
  it('brings back what a punch of the range hid, and drops the last update', async () => {
    await rig.object.updateSingle(2n, DKEY, AKEY, 'before');
    await rig.object.punch(5n);
    await rig.object.updateSingle(6n, DKEY, AKEY, 'within');
    await rig.object.punch(7n, DKEY);
    await rig.object.updateSingle(8n, DKEY, AKEY, 'last');
    await rig.discard(4n, EPOCH_MAX);
    expect(await rig.object.fetchSingle(EPOCH_MAX, DKEY, AKEY)).toBe('before');
    expect(rig.stored().map(({ epoch }) => epoch)).toEqual([2n]);
  });
});

describe('discard of one object (28.14 107)', () => {
  it.each([
    ['an object that was empty before', 1n],
    ['an object with a past', 4n],
  ])('leaves others alone: %s', async (_what, lo) => {
    const other = new TestObject(rig.container, unitOid(2));
    await fill();
    await other.updateSingle(5n, DKEY, AKEY, 'other');
    const before = await rig.object.fetchSingle(lo - 1n, DKEY, AKEY);
    await rig.discard(lo, EPOCH_MAX, unitOid(1));
    expect(await rig.object.fetchSingle(EPOCH_MAX, DKEY, AKEY)).toBe(before);
    expect(await other.fetchSingle(EPOCH_MAX, DKEY, AKEY)).toBe('other');
    expect(rig.container.query().objectCount).toBe(lo === 1n ? 1 : 2);
  });

  it('of a missing one is fine', async () => {
    await rig.discard(0n, EPOCH_MAX, unitOid(77));
  });

  it('keeps writers of the object away meanwhile: DER_UPDATE_AGAIN', async () => {
    await fill();
    const answers: unknown[] = [];
    await rig.container.discard({ lo: 5n, hi: EPOCH_MAX }, unitOid(1), {
      yield: async () => {
        await rig.object.updateSingle(20n, DKEY, bytes('new'), 'x').catch((error: { der: string }) => answers.push(error.der));
        await rig.object.fetchSingle(4n, DKEY, AKEY);
        return 'slack' as const;
      },
    });
    expect(new Set(answers)).toEqual(new Set(['UPDATE_AGAIN']));
    await rig.object.updateSingle(20n, DKEY, bytes('new'), 'x');
  });
});
