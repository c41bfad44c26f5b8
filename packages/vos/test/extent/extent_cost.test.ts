import { seededRandom } from '@daos/gurt';

import { PunchMark } from '../../src/ilog/punch_mark.js';
import { DataStore } from '../../src/value/data_store.js';
import { scanExtents } from '../../src/value/extent_scan.js';
import { Extents } from '../../src/value/extents.js';
import { ExtentRig, NEWEST } from './extent_rig.js';
import { PLACES, VersionTable, pictureOf } from './version_table.js';

const FEW = 10_000;
const MANY = 1_000_000;
const READS = 60;

interface Cost {
  /** Index operations per piece returned, on average of all reads. */
  perPiece: number;
  worst: number;
}

/** Reads at random places, checked against a picture; new extents each time, so that nothing is in memory. */
function measure(table: VersionTable, epoch: bigint, picture: Int32Array): Cost {
  const random = seededRandom(9);
  let operations = 0;
  let pieces = 0;
  let worst = 0;
  for (let i = 0; i < READS; i++) {
    const extents = new Extents(table, new DataStore(table, undefined, undefined));
    const lo = random.below(PLACES - 64);
    const hi = lo + random.below(64);
    table.takeCount();
    const seen = extents.visible(table.head, BigInt(lo), BigInt(hi), epoch);
    const count = table.takeCount();
    operations += count;
    pieces += seen.length;
    worst = Math.max(worst, count);
    const got = new Int32Array(PLACES).fill(-1);
    for (const piece of seen) got.fill(Number(piece.record.epoch) - 1, Number(piece.lo), Number(piece.hi) + 1);
    expect(got.subarray(lo, hi + 1)).toEqual(picture.subarray(lo, hi + 1));
  }
  return { perPiece: operations / pieces, worst };
}

describe('index operations of a read among overlapping versions', () => {
  const few = new VersionTable(FEW);
  const many = new VersionTable(MANY);

  it('are as many for 1,000,000 versions as for 10,000, at the newest epoch: a few per piece', () => {
    const a = measure(few, NEWEST, pictureOf(FEW));
    const b = measure(many, NEWEST, pictureOf(MANY));
    expect(b.perPiece).toBeLessThan(a.perPiece * 1.2);
    expect(b.perPiece).toBeLessThan(4);
    expect(b.worst).toBeLessThan(100);
  });

  it.each([
    ['halfway back', (count: number) => count / 2],
    ['1,000 versions back', (count: number) => count - 1000],
  ])('are as many at an older epoch: %s', (_, versionAt) => {
    const a = measure(few, BigInt(versionAt(FEW)), pictureOf(versionAt(FEW)));
    const b = measure(many, BigInt(versionAt(MANY)), pictureOf(versionAt(MANY)));
    expect(b.perPiece).toBeLessThan(a.perPiece * 2);
    // a walk through all that overlaps would be 20,000
    expect(b.worst).toBeLessThan(6000);
  });

  it('are as many for a scan: what it returns counts', () => {
    const count = (table: VersionTable, limit: number): number => {
      const extents = new Extents(table, new DataStore(table, undefined, undefined));
      table.takeCount();
      const scan = { head: table.head, epoch: NEWEST, punch: new PunchMark(), from: 1000n, limit };
      expect(scanExtents(extents, { ...scan, descending: false }).length).toBeGreaterThanOrEqual(limit);
      expect(scanExtents(extents, { ...scan, descending: true }).length).toBeGreaterThanOrEqual(limit);
      return table.takeCount();
    };
    expect(count(many, 10)).toBeLessThan(count(few, 10) * 1.5);
    expect(count(many, 10)).toBeLessThan(100);
    expect(count(many, 40)).toBeLessThan(300);
  });
});

describe('index operations of a write', () => {
  it('do not grow with the versions below it', () => {
    const cost = (versions: number): number => {
      const rig = new ExtentRig(true);
      const random = seededRandom(3);
      const write = (epoch: number): void => void rig.data(random.below(500), 'x'.repeat(1 + random.below(30)), epoch);
      for (let epoch = 1; epoch <= versions; epoch++) write(epoch);
      rig.umem.takeCount();
      for (let i = 1; i <= 200; i++) write(versions + i);
      return rig.umem.takeCount() / 200;
    };
    const [few, many] = [cost(300), cost(6000)];
    expect(many).toBeLessThan(few * 1.3);
    expect(many).toBeLessThan(20);
  });

  it('are one for an append', () => {
    const rig = new ExtentRig(true);
    for (let i = 0; i < 100; i++) rig.data(i * 4, 'aaaa', i + 1);
    rig.umem.takeCount();
    for (let i = 100; i < 200; i++) rig.data(i * 4, 'aaaa', i + 1);
    expect(rig.umem.takeCount()).toBe(100);
    expect(rig.rows()).toEqual({ live: 200, value: 0, time: 0 });
  });
});

describe('a read of a whole array', () => {
  it('shows 4,000 pieces of an old epoch, each index once', () => {
    const rig = new ExtentRig(true);
    const count = 4_000;
    const order = Array.from({ length: count }, (_, i) => (i * 1237) % count);
    order.forEach((at, i) => rig.data(at * 3, 'aa', i + 1));
    order.forEach((at, i) => rig.data(at * 3, 'bb', count + i + 1));
    const seen = rig.extents.visible(rig.head, 0n, NEWEST, BigInt(count));
    expect(seen).toHaveLength(count);
    expect(seen.every(({ lo, hi, record }, i) => lo === BigInt(i) * 3n && hi === lo + 1n && record.epoch <= count)).toBe(true);
  });
});
