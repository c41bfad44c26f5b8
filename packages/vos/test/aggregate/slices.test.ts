import { cp, rm } from 'node:fs/promises';

import { ChecksumType, iodChecksums, type Epoch } from '@daos/common';

import { Aggregation } from '../../src/aggregate/aggregation.js';
import { AggregateFlag } from '../../src/index.js';
import { poolOpen } from '../../src/open_shards.js';
import { HASHED, MIB, array, bytes, unitOid } from '../fixture.js';
import { AKEY, DKEY, Rig, show } from './rig.js';

const { FORCE_MERGE, FORCE_SCAN } = AggregateFlag;
let rig: Rig;

async function create(sizes: { scmBytes?: number; nvmeBytes?: number } = {}): Promise<void> {
  rig = await Rig.create(sizes);
}

afterEach(() => rig.destroy());

function writeBytes(epoch: Epoch, at: number, data: Uint8Array, akey = AKEY, type = 0): Promise<void> {
  const iod = array(akey, 1, [at, data.length]);
  const checksums = [iodChecksums(type, 4096, iod, data)];
  return rig.container.update({ oid: unitOid(1), flavours: HASHED, epoch, flags: 0, dkey: DKEY, iods: [iod], values: [data], checksums });
}

describe('space (28.13 97)', () => {
  it('comes back for good: a pool that is filled and aggregated again and again is never full', async () => {
    await create({ scmBytes: 4 * MIB, nvmeBytes: 8 * MIB });
    let epoch = 0n;
    // several times what the pool holds, of data and of index
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < 20; i++) {
        await writeBytes(++epoch, (i % 5) * 200_000, Buffer.alloc(250_000, i));
        await Promise.all(Array.from({ length: 15 }, (_, k) => rig.object.updateSingle(++epoch, DKEY, bytes(`s${k}`), Buffer.alloc(900, i))));
      }
      await rig.aggregate(0, epoch);
      await rig.test.pool.settled();
    }
    expect(rig.container.query().hae).toBe(epoch);
    const { nvme } = rig.test.pool.query();
    expect(nvme.totalBytes - nvme.freeBytes).toBeLessThan(1_200_000);
  });

  it('that is missing for merged data leaves the array as it is, and the highest aggregated epoch', async () => {
    await create({ nvmeBytes: 2 * MIB });
    await writeBytes(1n, 0, Buffer.alloc(MIB, 1));
    await writeBytes(2n, 4096, Buffer.alloc(4096, 2));
    await writeBytes(3n, 2 * MIB, Buffer.alloc(MIB - 8192, 3));
    const before = await rig.see(9);
    await rig.aggregate(0, 9);
    expect(await rig.see(9)).toBe(before);
    expect(rig.container.query().hae).toBe(0n);
  });
});

describe('checksums (22.6)', () => {
  it('are verified, and made anew for what is merged', async () => {
    await create();
    await writeBytes(1n, 1000, Buffer.alloc(10_000, 1), AKEY, ChecksumType.CRC32);
    await writeBytes(2n, 5000, Buffer.alloc(10_000, 2), AKEY, ChecksumType.CRC32);
    await rig.aggregate(0, 9, FORCE_MERGE);
    const [merged] = rig.stored();
    const data = Buffer.concat([Buffer.alloc(4000, 1), Buffer.alloc(10_000, 2)]);
    expect([merged?.lo, merged?.hi]).toEqual([1000n, 14_999n]);
    const expected = iodChecksums(ChecksumType.CRC32, 4096, array(AKEY, 1, [1000, data.length]), data);
    expect(show(merged?.checksums?.bytes ?? bytes(''))).toBe(show(expected?.bytes ?? bytes('none')));
  });

  it('that do not match leave the extents as they are: DER_CSUM, when all else is done', async () => {
    await create();
    const iod = array(AKEY, 1, [0, 5000]);
    const wrong = iodChecksums(ChecksumType.CRC32, 4096, iod, Buffer.alloc(5000, 9));
    await rig.container.update({ oid: unitOid(1), flavours: HASHED, epoch: 1n, flags: 0, dkey: DKEY, iods: [iod], values: [Buffer.alloc(5000, 1)], checksums: [wrong] });
    await writeBytes(2n, 5000, Buffer.alloc(5000, 2), AKEY, ChecksumType.CRC32);
    const other = bytes('other');
    await writeBytes(1n, 0, Buffer.alloc(5000, 1), other, ChecksumType.CRC32);
    await writeBytes(2n, 5000, Buffer.alloc(5000, 2), other, ChecksumType.CRC32);
    await expect(rig.aggregate(0, 9, FORCE_MERGE)).rejects.toMatchObject({ der: 'CSUM' });
    expect(rig.stored()).toHaveLength(2);
    expect(rig.stored(0, 9, rig.akey(DKEY, other))).toHaveLength(1);
    expect(rig.container.query().hae).toBe(9n);
  });
});

describe('a crash', () => {
  it('at any slice of an aggregation leaves what readers see, and it can be done again', async () => {
    await create({ scmBytes: 8 * MIB, nvmeBytes: 8 * MIB });
    for (let epoch = 1; epoch <= 40; epoch++) {
      await writeBytes(BigInt(epoch), (epoch * 37) % 900, Buffer.alloc(epoch % 4 === 0 ? 5000 : 100, epoch));
      await rig.object.updateSingle(BigInt(epoch), DKEY, bytes(`s${epoch % 3}`), `v${epoch}`);
      if (epoch % 9 === 0) await rig.object.punch(BigInt(epoch), DKEY, [bytes(`s${epoch % 3}`)]);
    }
    const epochs = [30, 35, 40];
    const before = await Promise.all(epochs.map((epoch) => rig.see(epoch)));
    const copies: string[] = [];
    await rig.container.aggregate({ lo: 0n, hi: 30n }, {
      flags: FORCE_MERGE,
      yield: async () => {
        await rig.test.pool.flush();
        await rig.test.pool.settled();
        const copy = `${rig.test.dir}-${copies.length}`;
        copies.push(copy);
        await cp(rig.test.dir, copy, { recursive: true });
        return 'slack' as const;
      },
    });
    expect(copies.length).toBeGreaterThan(5);
    const { uuid } = rig.container;
    const live = rig.container;
    for (const dir of copies) {
      const pool = await poolOpen({ dir, uuid: rig.test.uuid, dataPath: `${dir}/data` });
      rig.container = pool.containerOpen(uuid);
      expect(await Promise.all(epochs.map((epoch) => rig.see(epoch)))).toEqual(before);
      await rig.aggregate(0, 30, FORCE_SCAN | FORCE_MERGE);
      expect(await Promise.all(epochs.map((epoch) => rig.see(epoch)))).toEqual(before);
      await pool.settled();
      // nothing is lost or held twice
      const used = rig.stored().reduce((sum, record) => sum + (record.block < 0 ? 0 : Math.ceil(record.dataBytes / 4096) * 4096), 0);
      const { nvme } = pool.query();
      expect(nvme.totalBytes - nvme.freeBytes).toBe(used);
      await pool.close();
      await rm(dir, { recursive: true, force: true });
    }
    rig.container = live;
  });
});

describe('a large container', () => {
  it('is aggregated in slices of some milliseconds while others write', async () => {
    await create({ scmBytes: 256 * MIB, nvmeBytes: 256 * MIB });
    let epoch = 0n;
    for (let i = 0; i < 15; i++) {
      const writes: Promise<void>[] = [];
      for (let k = 0; k < 400; k++) writes.push(rig.object.updateSingle(++epoch, bytes(`d${(i * 13 + k) % 700}`), bytes(`a${k % 3}`), Buffer.alloc(64, k)));
      for (let k = 0; k < 60; k++) writes.push(writeBytes(++epoch, k * 5000 + i * 50, Buffer.alloc(5000, k), bytes('big'), ChecksumType.CRC32));
      for (let k = 0; k < 60; k++) writes.push(writeBytes(++epoch, ((i * 60 + k) * 7919) % 200_000, Buffer.alloc(100, k), bytes('small')));
      await Promise.all(writes);
    }
    const hi = epoch;
    const before = await rig.see(hi);
    let isRunning = true;
    let written = 0;
    const others = (async () => {
      while (isRunning) {
        await Promise.all(Array.from({ length: 8 }, (_, k) => rig.object.updateSingle(++epoch, bytes(`d${(written + k) % 700}`), bytes('a0'), 'new')));
        written += 8;
      }
    })();
    const aggregation = new Aggregation(rig.state, { lo: 0n, hi }, { flags: FORCE_MERGE });
    const begun = performance.now();
    await aggregation.run().finally(() => (isRunning = false));
    const seconds = (performance.now() - begun) / 1000;
    await others;
    const { sliceLengths } = aggregation;
    process.stderr.write(
      `aggregation in ${seconds.toFixed(2)} s, ${written} updates beside it; slices of ${sliceLengths.percentile(50)} ms (p50), ` +
        `${sliceLengths.percentile(90)} ms (p90), ${sliceLengths.longestMs.toFixed(1)} ms at most\n`,
    );
    expect(written).toBeGreaterThan(50);
    expect(await rig.see(hi)).toBe(before);
    expect(rig.stored(0, hi, rig.akey(DKEY, bytes('big')))).toHaveLength(1);
    // a slice ends after 2 ms of work; what is longer, the machine has given to others
    expect(sliceLengths.percentile(50)).toBeLessThan(5);
  }, 60_000);
});
