import { iodChecksums, ChecksumType, type Epoch } from '@daos/common';
import { seededRandom, type Random } from '@daos/gurt';

import { AggregateFlag, type KeyFlavours } from '../../src/index.js';
import { HASHED, UINT64, array, bytes, number64, single, unitOid } from '../fixture.js';
import { Rig } from './rig.js';

const PROGRAMS = Number(process.env['VOS_PROGRAMS'] ?? 6);
const SEED = Number(process.env['VOS_SEED'] ?? Date.now() % 1_000_000);
const EPOCHS = 60;

/** Random updates and punches, then aggregations and discards with random pauses between slices. */
class History {
  readonly rig: Rig;
  private readonly late: (() => Promise<void>)[] = [];

  constructor(
    rig: Rig,
    private readonly random: Random,
    private readonly withChecksums: boolean,
  ) {
    this.rig = rig;
  }

  async write(): Promise<void> {
    for (let epoch = 1; epoch <= EPOCHS; epoch++) {
      const count = 1 + this.random.below(4);
      for (let i = 0; i < count; i++) await this.one(BigInt(epoch)).catch(ignoreOverlaps);
    }
  }

  /** Writes at new epochs, and an aggregation of old ones meanwhile. */
  async aggregateBeside(lo: number, hi: number, flags: number): Promise<void> {
    let epoch = BigInt(EPOCHS);
    await this.rig.container.aggregate(
      { lo: BigInt(lo), hi: BigInt(hi) },
      {
        flags,
        yield: async () => {
          if (this.random.below(3) === 0) await this.one(++epoch).catch(ignoreOverlaps);
          if (this.random.below(10) === 0) this.rig.state.heads.clear();
          return this.random.below(2) === 0 ? 'tight' : 'slack';
        },
      },
    );
    for (const step of this.late) await step();
  }

  private one(epoch: Epoch): Promise<void> {
    const { random, rig } = this;
    const { flavours } = rig;
    const key = (n: number, flavour: string): Uint8Array => (flavour === 'uint64' ? number64(n) : bytes(`key ${n}`));
    const dkey = key(random.below(2), flavours.dkey);
    const kind = random.below(2);
    const akey = key(kind * 10 + random.below(2), flavours.akey);
    const where = { oid: unitOid(random.below(2)), flavours, epoch, flags: 0, dkey };
    const roll = random.below(100);
    if (roll < 2) return rig.container.punch({ oid: where.oid, flavours, epoch, flags: 0 });
    if (roll < 5) return rig.container.punch({ oid: where.oid, flavours, epoch, flags: 0, dkey });
    if (roll < 10 && !flavours.isFlat) return rig.container.punch({ ...where, akeys: [akey] });
    const isHole = random.below(5) === 0;
    const at = random.below(400);
    const nr = 1 + random.below(random.below(4) === 0 ? 6000 : 60);
    const iod = kind === 0 ? single(akey, isHole ? 0 : 1 + random.below(40)) : array(akey, isHole ? 0 : 1, [at, nr]);
    const value = isHole ? new Uint8Array(0) : random.bytes(kind === 0 ? iod.size : nr);
    const sums = this.withChecksums ? iodChecksums(ChecksumType.CRC32, 128, iod, value) : undefined;
    return rig.container.update({ ...where, iods: [iod], values: [value], checksums: [sums] });
  }
}

/** Two extents of one epoch that cut each other, or an update at the epoch of a punch, are refused. */
function ignoreOverlaps(error: { der?: string }): void {
  if (error.der !== 'VOS_PARTIAL_UPDATE' && error.der !== 'NO_PERM') throw error;
}

async function see(rig: Rig, epochs: readonly number[]): Promise<string[]> {
  const all: string[] = [];
  for (const epoch of epochs) all.push(`@${epoch}\n${await rig.see(epoch)}`);
  return all;
}

const FLAVOURS: KeyFlavours[] = [HASHED, UINT64, { ...HASHED, isFlat: true }];

describe(`random histories (28.13 96, 98; VOS_SEED=${SEED})`, () => {
  it.each(Array.from({ length: PROGRAMS }, (_, i) => SEED + i))('look the same at the range\'s end, behind it, and before it: seed %d', async (seed) => {
    const random = seededRandom(seed);
    const rig = await Rig.create({}, FLAVOURS[random.below(3)] as KeyFlavours);
    try {
      const history = new History(rig, random, random.below(2) === 0);
      await history.write();
      const lo = random.below(3) === 0 ? 0 : random.below(EPOCHS - 10);
      const hi = lo + 2 + random.below(EPOCHS - lo - 2);
      const epochs = [lo - 1, Math.floor(lo / 2), hi, hi + 1, Math.floor((hi + EPOCHS) / 2), EPOCHS].filter((epoch) => epoch > 0 && (epoch < lo || epoch >= hi));
      const before = await see(rig, epochs);
      const flags = random.below(4);
      await history.aggregateBeside(lo, hi, flags);
      expect(await see(rig, epochs)).toEqual(before);
      await rig.test.crash();
      rig.container = rig.test.pool.containerOpen(rig.container.uuid);
      expect(await see(rig, epochs)).toEqual(before);
      // and again: nothing is left to do
      const stored = rig.test.pool.query();
      await rig.aggregate(lo, hi, flags | AggregateFlag.FORCE_SCAN);
      expect(await see(rig, epochs)).toEqual(before);
      expect(rig.test.pool.query().nvme).toEqual(stored.nvme);
    } finally {
      await rig.destroy();
    }
  });

  it.each(Array.from({ length: PROGRAMS }, (_, i) => SEED + i))('look as before the range when it is discarded: seed %d', async (seed) => {
    const random = seededRandom(seed);
    const rig = await Rig.create({}, FLAVOURS[random.below(3)] as KeyFlavours);
    try {
      const history = new History(rig, random, false);
      await history.write();
      const lo = 1 + random.below(EPOCHS - 10);
      const epochs = [Math.max(1, Math.floor(lo / 2)), lo - 1];
      const before = await see(rig, epochs);
      await rig.discard(lo, 0xffff_ffff_ffff_ffffn);
      expect(await see(rig, epochs)).toEqual(before);
      expect((await rig.see(EPOCHS)) || `nothing`).toBe((await rig.see(lo - 1)) || 'nothing');
      await rig.discard(0, 0xffff_ffff_ffff_ffffn);
      await rig.test.pool.settled();
      expect(rig.container.query().objectCount).toBe(0);
      const { nvme } = rig.test.pool.query();
      expect(nvme.freeBytes).toBe(nvme.totalBytes);
    } finally {
      await rig.destroy();
    }
  });
});
