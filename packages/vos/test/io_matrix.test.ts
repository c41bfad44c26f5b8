import { ChecksumType, iodChecksums, recxChecksumsVerify, type Epoch, type Iod, type KeyFlavour } from '@daos/common';

import { EpochExpr, VosIterFlag, VosIterType, vosIterate, type KeyFlavours, type VosContainer, type VosFetchedIod, type VosIterEntry } from '../src/index.js';
import { ContainerHandle } from '../src/container.js';
import { TestObject, TestPool, array, bytes, number64, single, unitOid } from './fixture.js';

/** The combinations of key types that objects have. */
const KEYS: [KeyFlavour, KeyFlavour][] = [
  ['hashed', 'hashed'],
  ['uint64', 'hashed'],
  ['hashed', 'uint64'],
  ['uint64', 'uint64'],
  ['lexical', 'hashed'],
  ['hashed', 'lexical'],
  ['lexical', 'lexical'],
];
const MATRIX = KEYS.flatMap(([dkey, akey]) => [false, true].map((hasChecksums) => ({ dkey, akey, hasChecksums })));
const KIB = 1024;

let test: TestPool;
let container: VosContainer;

beforeAll(async () => {
  test = await TestPool.create();
});
afterAll(() => test.destroy());
beforeEach(async () => {
  container = await test.newContainer();
});
afterEach(() => container.close());

function key(flavour: KeyFlavour, n: number): Buffer {
  return flavour === 'uint64' ? number64(n) : bytes(n % 2 === 0 ? `key ${n}` : `a key that is longer than fifteen bytes: ${n}`);
}

describe.each(MATRIX)('with $dkey dkeys, $akey akeys, checksums: $hasChecksums', ({ dkey, akey, hasChecksums }) => {
  const flavours: KeyFlavours = { dkey, akey };
  const A = key(akey, 1);

  async function update(epoch: Epoch, d: number, iod: Iod, value: Uint8Array): Promise<void> {
    const checksums = hasChecksums ? { checksums: [iodChecksums(ChecksumType.CRC64, 256, iod, value)] } : {};
    await container.update({ oid: unitOid(1), flavours, epoch, flags: 0, dkey: key(dkey, d), iods: [iod], values: [value], ...checksums });
  }

  /** Checks the checksums of what is read, too. */
  async function fetch(epoch: Epoch, d: number, iod: Iod): Promise<VosFetchedIod> {
    const [found] = await container.fetch({ oid: unitOid(1), flavours, epoch, flags: 0, dkey: key(dkey, d), iods: [iod] });
    if (!found) throw new Error('a fetch answers each iod');
    for (const { stored } of found.pieces) {
      expect(stored !== undefined).toBe(hasChecksums);
      if (stored && iod.recxs.length > 0) recxChecksumsVerify(stored.recx, found.size, stored.data, stored.checksums);
    }
    return found;
  }

  async function records(epoch: Epoch, d: number, idx: number, nr: number): Promise<Buffer> {
    const data = Buffer.alloc(nr, '.');
    for (const { recx, data: piece } of (await fetch(epoch, d, array(A, 1, [idx, nr]))).pieces) data.set(piece, Number(recx.idx) - idx);
    return data;
  }

  it('reads one record, ten records and a single value as they were written; at a later epoch, too', async () => {
    const value = Buffer.from('a value of some bytes');
    await update(5n, 1, single(A, value.length), value);
    await update(5n, 2, array(A, 1, [7, 1]), Buffer.from('r'));
    await update(5n, 3, array(A, 4, [7, 10]), Buffer.alloc(40, 'abcd'));
    for (const epoch of [5n, 6n, 5000n]) {
      expect(Buffer.from((await fetch(epoch, 1, single(A, 0))).pieces[0]?.data ?? []).toString()).toBe(value.toString());
      expect((await records(epoch, 2, 7, 1)).toString()).toBe('r');
      expect(Buffer.concat((await fetch(epoch, 3, array(A, 4, [7, 10]))).pieces.map(({ data }) => data)).toString()).toBe('abcd'.repeat(10));
    }
    for (const d of [1, 2, 3]) expect((await fetch(4n, d, d === 1 ? single(A, 0) : array(A, 1, [7, 1]))).size).toBe(0);
  });

  it('finds size 0 where an extent was punched', async () => {
    await update(1n, 1, array(A, 1, [0, 100]), Buffer.alloc(100, 'x'));
    await update(2n, 1, array(A, 0, [0, 100]), Buffer.alloc(0));
    expect(await fetch(2n, 1, array(A, 1, [0, 100]))).toMatchObject({ size: 0, pieces: [] });
    expect((await records(1n, 1, 0, 100)).toString()).toBe('x'.repeat(100));
  });

  it('reads many extents into one, and one into many', async () => {
    const whole = Buffer.from(Array.from({ length: 3000 }, (_, i) => i & 255));
    await update(1n, 1, array(A, 1, [0, 1000], [1000, 700], [1700, 1300]), whole);
    expect(Buffer.compare(await records(1n, 1, 0, 3000), whole)).toBe(0);
    await update(1n, 2, array(A, 1, [0, 3000]), whole);
    const parts = await fetch(1n, 2, array(A, 1, [0, 1], [1, 1998], [1999, 1001]));
    expect(Buffer.compare(Buffer.concat(parts.pieces.map(({ data }) => data)), whole)).toBe(0);
  });

  it('shows new, old, new after the first and the third of three extents were rewritten', async () => {
    for (const i of [0, 1, 2]) await update(1n, 1, array(A, 1, [i * KIB, KIB]), Buffer.alloc(KIB, 'o'));
    for (const i of [0, 2]) await update(2n, 1, array(A, 1, [i * KIB, KIB]), Buffer.alloc(KIB, 'n'));
    const expected = `${'n'.repeat(KIB)}${'o'.repeat(KIB)}${'n'.repeat(KIB)}`;
    expect((await records(2n, 1, 0, 3 * KIB)).toString()).toBe(expected);
    expect((await records(1n, 1, 0, 3 * KIB)).toString()).toBe('o'.repeat(3 * KIB));
  });

  it('iterates exactly the dkeys and the extents of a range of epochs, forward and in reverse', async () => {
    const writes = Array.from({ length: 20 }, (_, i) => [
      update(BigInt(i + 1), 10 + i, single(A, 1), Buffer.from('x')),
      update(BigInt(i + 1), 1, array(A, 1, [i * 10, 10]), Buffer.alloc(10, i)),
    ]);
    await Promise.all(writes.flat());
    const base = { container, oid: unitOid(1), flavours, epr: { lo: 6n, hi: 15n } };
    for (const expr of [EpochExpr.RE, EpochExpr.RR]) {
      const found: VosIterEntry[] = [];
      const pre = (entry: VosIterEntry): void => void found.push(entry);
      await vosIterate({ ...base, expr }, VosIterType.DKEY, false, {}, { pre });
      // ten of their own, and the one with the extents
      const expected = [1, ...Array.from({ length: 10 }, (_, i) => 15 + i)].map((n) => key(dkey, n).toString('hex'));
      expect(found.map((entry) => (entry.type === VosIterType.DKEY ? Buffer.from(entry.key).toString('hex') : '')).toSorted()).toEqual(expected.toSorted());
      found.length = 0;
      const flags = VosIterFlag.RECX_COVERED | (expr === EpochExpr.RR ? VosIterFlag.RECX_REVERSE : 0);
      await vosIterate({ ...base, expr, flags, dkey: key(dkey, 1), akey: A }, VosIterType.RECX, false, {}, { pre });
      const indices = found.map((entry) => (entry.type === VosIterType.RECX ? Number(entry.recx.idx) : -1));
      const ascending = Array.from({ length: 10 }, (_, i) => 50 + i * 10);
      expect(indices).toEqual(expr === EpochExpr.RR ? ascending.toReversed() : ascending);
    }
  });
});

describe('objects', () => {
  it('of one id in two containers are independent', async () => {
    const other = await test.newContainer();
    await new TestObject(container).updateSingle(1n, bytes('d'), bytes('a'), 'one');
    expect(await new TestObject(other).fetchSingle(9n, bytes('d'), bytes('a'))).toBe('');
    await new TestObject(other).updateSingle(1n, bytes('d'), bytes('a'), 'two');
    expect(await new TestObject(container).fetchSingle(9n, bytes('d'), bytes('a'))).toBe('one');
    other.close();
  });

  it('that are written at two epochs are one in the index', async () => {
    const object = new TestObject(container);
    await object.updateSingle(1n, bytes('d'), bytes('a'), 'one');
    await object.updateSingle(2n, bytes('e'), bytes('a'), 'two');
    expect(container.query().objectCount).toBe(1);
    expect(container.listObjects({ lo: 0n, hi: 9n }, 10).items).toEqual([unitOid(1)]);
  });

  it('that are held to discard or to aggregate are held once; a discard keeps writers out', async () => {
    const object = new TestObject(container);
    await object.updateSingle(1n, bytes('d'), bytes('a'), 'x');
    if (!(container instanceof ContainerHandle)) throw new Error('a container of this store');
    const { holds, heads, no } = container.open();
    const objectNo = heads.findObject(no, unitOid(1))?.no ?? 0;
    for (const kind of ['discard', 'aggregate'] as const) {
      const release = holds.hold(objectNo, kind);
      for (const second of ['discard', 'aggregate'] as const) expect(() => holds.hold(objectNo, second)).toThrow(expect.objectContaining({ der: 'BUSY' }));
      const write = object.updateSingle(2n, bytes('d'), bytes('a'), 'y');
      if (kind === 'discard') await expect(write).rejects.toMatchObject({ der: 'UPDATE_AGAIN' });
      else await write;
      expect(await object.fetchSingle(1n, bytes('d'), bytes('a'))).toBe('x');
      release();
    }
    await object.updateSingle(3n, bytes('d'), bytes('a'), 'z');
  });
});
