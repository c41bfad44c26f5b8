import { EPOCH_MAX, uuidGenerate } from '@daos/common';

import { DtxHandle } from '../../src/dtx/handle.js';
import { AggregateFlag } from '../../src/index.js';
import { HASHED, bytes, single, unitOid } from '../fixture.js';
import { AKEY, DKEY, Rig } from './rig.js';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.create();
  await Promise.all(Array.from({ length: 200 }, (_, i) => rig.object.updateSingle(BigInt(i + 1), bytes(`d${i % 50}`), AKEY, `v${i}`)));
});

afterEach(() => rig.destroy());

/** Runs something in the first pause of an aggregation or discard. */
function meanwhile(action: () => Promise<void>): { yield: () => Promise<undefined> } {
  let isFirst = true;
  return {
    yield: async () => {
      if (isFirst) {
        isFirst = false;
        await action();
      }
    },
  };
}

const busy = (promise: Promise<unknown>): Promise<void> => expect(promise).rejects.toMatchObject({ der: 'BUSY' });

describe('aggregation and discard (15.1)', () => {
  it('exclude each other where their epochs meet', async () => {
    const { container } = rig;
    const allowed: Promise<unknown>[] = [];
    await container.aggregate({ lo: 0n, hi: 100n }, meanwhile(async () => {
      await busy(rig.aggregate(101, 110));
      await busy(rig.discard(100, 120));
      // it waits for the object
      allowed.push(rig.discard(150, EPOCH_MAX));
      await busy(rig.discard(101, 102));
    }));
    await Promise.all(allowed);
    await container.discard({ lo: 140n, hi: 145n }, undefined, meanwhile(async () => {
      await busy(rig.aggregate(100, 140));
      await busy(rig.discard(1, 2));
      await busy(rig.discard(1, 2, unitOid(1)));
      allowed.push(rig.aggregate(100, 139));
    }));
    await Promise.all(allowed);
    await container.discard({ lo: 120n, hi: 125n }, unitOid(1), meanwhile(async () => {
      await busy(rig.discard(1, 2));
      await rig.discard(1, 2, unitOid(2));
    }));
    await rig.aggregate(0, 200);
  });

  it('wait for each other at one object, without an error', async () => {
    const order: string[] = [];
    let discard: Promise<unknown> = Promise.resolve();
    await rig.container.aggregate({ lo: 0n, hi: 100n }, meanwhile(() => {
      discard = rig.discard(150, EPOCH_MAX, unitOid(1)).then(() => order.push('discarded'));
      return Promise.resolve();
    })).then(() => order.push('aggregated'));
    await discard;
    expect(order).toEqual(['aggregated', 'discarded']);
    expect(rig.stored(150)).toEqual([]);
  });

  it('keep deletes of their object away: DER_BUSY', async () => {
    await rig.container.aggregate({ lo: 0n, hi: 100n }, meanwhile(async () => {
      await busy(rig.container.objectDelete(unitOid(1)));
      await busy(rig.container.keyDelete({ oid: unitOid(1), flavours: HASHED, dkey: bytes('d1') }));
    }));
  });

  it('can be stopped, by their caller or by the end of the container or pool', async () => {
    const aborted = new AbortController();
    const { container } = rig;
    await expect(container.aggregate({ lo: 0n, hi: 100n }, { yield: () => 'stop' })).rejects.toMatchObject({ der: 'OP_CANCELED' });
    const running = container.aggregate({ lo: 0n, hi: 100n }, { signal: aborted.signal });
    aborted.abort();
    await expect(running).rejects.toMatchObject({ der: 'OP_CANCELED' });
    expect(container.query().hae).toBe(0n);
    const closed = container.aggregate({ lo: 0n, hi: 100n });
    const closing = rig.test.pool.close();
    await expect(closed).rejects.toMatchObject({ der: 'NO_HDL' });
    await closing;
    await rig.test.open();
    const again = rig.test.pool.containerOpen(container.uuid);
    const left = again.aggregate({ lo: 0n, hi: 100n });
    again.close();
    await expect(left).rejects.toMatchObject({ der: 'NO_HDL' });
  });

  it('refuse impossible ranges', async () => {
    await expect(rig.discard(5, 4)).rejects.toMatchObject({ der: 'INVAL' });
    await expect(rig.aggregate(4, 4)).rejects.toThrow('aggregation of epochs');
    await expect(rig.container.aggregate({ lo: 0n, hi: EPOCH_MAX })).rejects.toThrow('aggregation of epochs');
  });
});

describe('open transactions (27.1 10, 15.2)', () => {
  const value = Buffer.from('tx');
  const begin = (epoch: bigint): DtxHandle => new DtxHandle({ id: { uuid: uuidGenerate(), hlc: epoch }, epoch, modificationCount: 1 });
  const write = (handle: DtxHandle, dkey = DKEY): Promise<void> =>
    rig.container.update({ oid: unitOid(1), flavours: HASHED, epoch: handle.epoch, flags: 0, dkey, iods: [single(AKEY, value.length)], values: [value] }, handle);

  it('keep their records, and the highest aggregated epoch, until they are decided', async () => {
    const handle = begin(210n);
    await write(handle, bytes('d1'));
    expect(await rig.aggregate(0, 300)).toBe(false);
    expect(rig.container.query().hae).toBe(0n);
    expect(rig.stored(0, 300, rig.akey(bytes('d1'))).map(({ epoch }) => epoch)).toEqual([210n, 152n]);
    expect(await rig.object.fetchSingle(300n, bytes('d1'), AKEY)).toBe('v151');
    await rig.container.dtxCommit([handle.id as { uuid: string; hlc: bigint }]);
    expect(await rig.object.fetchSingle(300n, bytes('d1'), AKEY)).toBe('tx');
    expect(await rig.aggregate(0, 300)).toBe(true);
    expect(rig.container.query().hae).toBe(300n);
    expect(rig.stored(0, 300, rig.akey(bytes('d1'))).map(({ epoch }) => epoch)).toEqual([210n]);
  });

  it('that made a key keep it, and lose it when they are aborted', async () => {
    const handle = begin(210n);
    await write(handle, bytes('made'));
    await rig.aggregate(0, 300, AggregateFlag.FORCE_SCAN);
    expect(rig.akey(bytes('made'))).toBeDefined();
    await rig.container.dtxAbort(handle.id as { uuid: string; hlc: bigint });
    await rig.aggregate(0, 300, AggregateFlag.FORCE_SCAN);
    expect(rig.akey(bytes('made'))).toBeUndefined();
    expect(rig.container.query().hae).toBe(300n);
  });

  it('lose what they have prepared to a discard, and keep what they are writing', async () => {
    const prepared = begin(210n);
    await write(prepared, bytes('d1'));
    const writing = new DtxHandle({ id: { uuid: uuidGenerate(), hlc: 211n }, epoch: 211n, modificationCount: 2 });
    await write(writing, bytes('d2'));
    await rig.discard(205, EPOCH_MAX);
    expect(rig.stored(205, EPOCH_MAX, rig.akey(bytes('d1')))).toEqual([]);
    expect(rig.stored(205, EPOCH_MAX, rig.akey(bytes('d2')))).toHaveLength(1);
    // deciding what is gone is harmless
    await rig.container.dtxCommit([prepared.id as { uuid: string; hlc: bigint }]);
    expect(await rig.object.fetchSingle(300n, bytes('d1'), AKEY)).toBe('v151');
    await rig.container.dtxAbort(writing.id as { uuid: string; hlc: bigint });
  });

  it('survive that their object is deleted', async () => {
    const handle = begin(210n);
    await write(handle, bytes('d1'));
    await rig.container.objectDelete(unitOid(1));
    await rig.container.dtxAbort(handle.id as { uuid: string; hlc: bigint });
    await rig.test.pool.settled();
    expect(rig.test.pool.gcStatistics()).toMatchObject({ objs: 1, dkeys: 50, akeys: 50 });
    expect(rig.container.listObjects({ lo: 0n, hi: EPOCH_MAX }, 10).items).toEqual([]);
  });
});

describe('what is marked as corrupt (15.2 9, 28.16 110, 111)', () => {
  beforeEach(async () => {
    const { heads, no } = rig.state;
    const object = heads.findObject(no, unitOid(1));
    const dkey = object && heads.findDkey(object.no, bytes('d1'), 'hashed');
    if (!dkey) throw new Error('no dkey');
    dkey.log.markCorrupted();
    heads.modified(dkey);
    await rig.test.pool.flush();
  });

  it('stops an aggregation: DER_DATA_LOSS', async () => {
    await expect(rig.aggregate(0, 300)).rejects.toMatchObject({ der: 'DATA_LOSS' });
    expect(rig.container.query().hae).toBe(0n);
  });

  it('can be discarded, or deleted', async () => {
    await rig.discard(0, EPOCH_MAX, unitOid(1));
    expect(rig.container.query().objectCount).toBe(0);
  });

  it('can be deleted', async () => {
    await rig.container.keyDelete({ oid: unitOid(1), flavours: HASHED, dkey: bytes('d1') });
    expect(await rig.object.fetchSingle(300n, bytes('d1'), AKEY)).toBe('');
    await rig.aggregate(0, 300);
  });
});
