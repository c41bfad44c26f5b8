import { Cond, EPOCH_MAX, IodType, type KeyFlavour } from '@daos/common';

import type { IodChecksums, KeyFlavours, VosContainer } from '../src/index.js';
import { HASHED, MIB, NEWEST, TestObject, TestPool, array, bytes, number64, single, unitOid } from './fixture.js';

const COMBINATIONS: readonly KeyFlavours[] = [
  HASHED,
  { dkey: 'uint64', akey: 'hashed' },
  { dkey: 'hashed', akey: 'uint64' },
  { dkey: 'uint64', akey: 'uint64' },
  { dkey: 'lexical', akey: 'hashed' },
  { dkey: 'hashed', akey: 'lexical' },
  { dkey: 'lexical', akey: 'lexical' },
];

let test: TestPool;
let container: VosContainer;

beforeAll(async () => {
  test = await TestPool.create({ scmBytes: 256 * MIB, nvmeBytes: 256 * MIB });
});
beforeEach(async () => {
  container = await test.newContainer();
});
afterAll(() => test.destroy());

function key(flavour: KeyFlavour, n: number): Buffer {
  return flavour === 'uint64' ? number64(n) : bytes(`a key of some length, number ${n}`);
}

describe.each(COMBINATIONS)('input and output with $dkey dkeys and $akey akeys (28.3)', (flavours) => {
  let object: TestObject;
  let d: Buffer;
  let a: Buffer;

  beforeEach(() => {
    object = new TestObject(container, unitOid(1), flavours);
    d = key(flavours.dkey, 1);
    a = key(flavours.akey, 1);
  });

  it('reads back what was written, single value and array, small and large (10)', async () => {
    for (const size of [1, 64, 1024, 4096, 70_000]) {
      const value = Buffer.alloc(size, `${size} `);
      await object.updateSingle(BigInt(size), d, a, value);
      expect(await object.fetchSingle(BigInt(size), d, a)).toBe(value.toString());
      const b = key(flavours.akey, size + 1);
      await object.updateArray(BigInt(size), d, b, 5, value.toString());
      expect(await object.fetchArray(BigInt(size), d, b, 5, size)).toBe(value.toString());
    }
  });

  it('shows nothing in a punched extent, and size 0 (11)', async () => {
    await object.updateArray(1n, d, a, 0, 'abcdef');
    await object.punchArray(2n, d, a, 0, 6);
    expect(await object.fetchArray(2n, d, a, 0, 6)).toBe('......');
    const [iod] = await container.fetch({ oid: object.oid, flavours, epoch: 2n, flags: 0, dkey: d, iods: [array(a, 1, [0, 6])] });
    expect(iod).toMatchObject({ size: 0, pieces: [] });
  });

  it('shows the newest at or before the epoch (12, 14)', async () => {
    await object.updateArray(1n, d, a, 0, 'AAAABBBBCCCC');
    await object.updateArray(2n, d, a, 0, 'aaaa');
    await object.updateArray(2n, d, a, 8, 'cccc');
    expect(await object.fetchArray(2n, d, a, 0, 12)).toBe('aaaaBBBBcccc');
    expect(await object.fetchArray(100n, d, a, 0, 12)).toBe('aaaaBBBBcccc');
    expect(await object.fetchArray(1n, d, a, 0, 12)).toBe('AAAABBBBCCCC');
  });

  it('stores a write of an older epoch below the newer one', async () => {
    await object.updateSingle(20n, d, a, 'new');
    await object.updateSingle(10n, d, a, 'old');
    await object.updateSingle(15n, d, a, 'middle');
    expect(await object.fetchSingle(EPOCH_MAX, d, a)).toBe('new');
    expect(await object.fetchSingle(19n, d, a)).toBe('middle');
    expect(await object.fetchSingle(14n, d, a)).toBe('old');
    expect(await object.fetchSingle(9n, d, a)).toBe('');
  });

  it('lists exactly the keys written, by anchor and from a key on (21)', async () => {
    const written = Array.from({ length: 57 }, (_, i) => key(flavours.dkey, i));
    await Promise.all(written.map((dkey, i) => object.updateSingle(BigInt(i + 1), dkey, a, 'v')));
    const listed: string[] = [];
    const list = (anchor?: Uint8Array) =>
      container.listDkeys({ oid: object.oid, flavours, epr: NEWEST, limit: 10, ...(anchor ? { anchor } : {}) });
    let page = list();
    for (;;) {
      listed.push(...page.items.map((item) => Buffer.from(item).toString('hex')));
      const last = page.items.at(-1);
      if (!page.next || !last) break;
      // every other page by the key that was shown last
      const anchor = listed.length % 20 === 0 ? container.keyToAnchor({ oid: object.oid, flavours, dkey: last }) : page.next;
      if (anchor !== page.next) listed.pop();
      page = list(anchor);
    }
    expect(listed.sort()).toEqual(written.map((item) => item.toString('hex')).sort());
    const range = container.listDkeys({ oid: object.oid, flavours, epr: { lo: 11n, hi: 30n }, limit: 100 });
    expect(range.items).toHaveLength(20);
  });
});

describe('input and output', () => {
  const d = bytes('d');
  const a = bytes('a');

  it('of 10,000 dkeys, written in batches, verified (15)', async () => {
    const object = new TestObject(container);
    const count = 10_000;
    await Promise.all(Array.from({ length: count }, (_, i) => object.updateSingle(BigInt(i + 1), bytes(`dkey-${i}`), a, `value ${i}`)));
    for (let i = 0; i < count; i++) expect(await object.fetchSingle(EPOCH_MAX, bytes(`dkey-${i}`), a)).toBe(`value ${i}`);
  });

  it('of what is missing succeeds with size 0 (16)', async () => {
    const object = new TestObject(container);
    const read = (dkey: Buffer) => container.fetch({ oid: object.oid, flavours: HASHED, epoch: 5n, flags: 0, dkey, iods: [single(a, 10)] });
    expect(await read(d)).toEqual([{ type: IodType.SINGLE, size: 0, pieces: [] }]);
    await object.updateSingle(1n, d, a, 'x');
    expect(await read(bytes('other'))).toEqual([{ type: IodType.SINGLE, size: 0, pieces: [] }]);
  });

  it('of the wrong kind: a write is refused, a read finds nothing', async () => {
    const object = new TestObject(container);
    await object.updateSingle(1n, d, a, 'single');
    await expect(object.updateArray(2n, d, a, 0, 'array')).rejects.toMatchObject({ der: 'NO_PERM' });
    expect(await object.fetchArray(2n, d, a, 0, 3)).toBe('...');
    await object.updateArray(2n, d, bytes('b'), 0, 'array');
    await expect(object.updateSingle(3n, d, bytes('b'), 'x')).rejects.toMatchObject({ der: 'NO_PERM' });
    expect(await object.fetchSingle(3n, d, bytes('b'))).toBe('');
  });

  it('of records keeps one record size per array, holes aside', async () => {
    const object = new TestObject(container);
    await object.punchArray(1n, d, a, 0, 10);
    await object.update(2n, d, [array(a, 4, [0, 2])], [bytes('aaaabbbb')]);
    await expect(object.updateArray(3n, d, a, 0, 'x')).rejects.toMatchObject({ der: 'INVAL' });
    await object.punchArray(3n, d, a, 0, 1);
    const [iod] = await container.fetch({ oid: object.oid, flavours: HASHED, epoch: 3n, flags: 0, dkey: d, iods: [array(a, 4, [0, 9])] });
    expect(iod?.size).toBe(4);
    expect(iod?.pieces.map(({ recx, data }) => [recx, Buffer.from(data).toString()])).toEqual([[{ idx: 1n, nr: 1n }, 'bbbb']]);
  });

  it('at one epoch: identical extents replace, overlapping ones are refused', async () => {
    const object = new TestObject(container);
    await object.updateArray(5n, d, a, 10, 'first');
    await object.updateArray(5n, d, a, 10, 'again');
    expect(await object.fetchArray(5n, d, a, 10, 5)).toBe('again');
    await expect(object.updateArray(5n, d, a, 12, 'cut')).rejects.toMatchObject({ der: 'VOS_PARTIAL_UPDATE' });
    await object.updateSingle(5n, d, bytes('s'), 'first');
    await object.updateSingle(5n, d, bytes('s'), Buffer.alloc(6000, 'l'));
    await object.updateSingle(5n, d, bytes('s'), 'again');
    expect(await object.fetchSingle(5n, d, bytes('s'))).toBe('again');
  });

  it('of many extents and versions shows the newest of each record', async () => {
    const object = new TestObject(container);
    const model = Buffer.alloc(400, '.');
    for (let i = 1; i <= 300; i++) {
      const at = (i * 37) % 380;
      const text = String.fromCharCode(97 + (i % 26)).repeat(1 + (i % 19));
      model.write(text.slice(0, 400 - at), at);
      await object.updateArray(BigInt(i), d, a, at, text.slice(0, 400 - at));
    }
    expect(await object.fetchArray(EPOCH_MAX, d, a, 0, 400)).toBe(model.toString());
    await test.reopen();
    object.container = container = test.pool.containerOpen(container.uuid);
    expect(await object.fetchArray(EPOCH_MAX, d, a, 0, 400)).toBe(model.toString());
  });

  it('reaches the last index, and punches more than one record can cover', async () => {
    const object = new TestObject(container);
    const far = 2n ** 63n - 10n;
    await object.updateArray(1n, d, a, far, 'far away');
    await object.updateArray(2n, d, a, 5, 'near');
    const page = container.listRecxs({ oid: object.oid, flavours: HASHED, epr: NEWEST, limit: 10, dkey: d, akey: a });
    expect(page.items.map(({ recx }) => recx)).toEqual([{ idx: 5n, nr: 4n }, { idx: far, nr: 8n }]);
    await object.punchArray(3n, d, a, 0, 2n ** 64n - 1n);
    expect(container.listRecxs({ oid: object.oid, flavours: HASHED, epr: NEWEST, limit: 10, dkey: d, akey: a }).items).toEqual([]);
    await expect(object.update(4n, d, [array(a, 1, [0, 2n ** 48n])], [bytes('x')])).rejects.toMatchObject({ der: 'NO_PERM' });
  });

  it('of a value of 27 MiB (24)', async () => {
    const object = new TestObject(container);
    const value = Buffer.alloc(27 * MIB, 'a long value ');
    await object.updateSingle(1n, d, a, value);
    await object.updateSingle(1n, d, a, value);
    const [iod] = await container.fetch({ oid: object.oid, flavours: HASHED, epoch: 1n, flags: 0, dkey: d, iods: [single(a, 0)] });
    expect(Buffer.compare(iod?.pieces[0]?.data ?? bytes(''), value)).toBe(0);
  });

  it('is refused for malformed requests, and leaves no trace', async () => {
    const object = new TestObject(container);
    const bad: [string, Promise<void>][] = [
      ['IO_INVAL', object.update(1n, d, [], [])],
      ['NO_PERM', object.update(1n, d, [single(a, 1), single(a, 1)], [bytes('x'), bytes('y')])],
      ['IO_INVAL', object.update(1n, d, [single(a, 2)], [bytes('x')])],
      ['IO_INVAL', object.update(1n, d, [{ ...single(a, 1), recxs: [{ idx: 0n, nr: 1n }] }], [bytes('x')])],
      ['INVAL', object.updateSingle(0n, d, a, 'x')],
      ['INVAL', object.updateSingle(1n, bytes(''), a, 'x')],
      ['KEY2BIG', object.updateSingle(1n, Buffer.alloc(100_000), a, 'x')],
      ['INVAL', new TestObject(container, unitOid(1), { dkey: 'uint64', akey: 'hashed' }).updateSingle(1n, d, a, 'x')],
      ['INVAL', object.punch(1n, undefined, [a])],
    ];
    for (const [der, done] of bad) await expect(done).rejects.toMatchObject({ der });
    expect(container.listObjects(NEWEST, 10).items).toEqual([]);
  });

  it('lists each object once (22)', async () => {
    for (let i = 0; i < 25; i++) await new TestObject(container, unitOid(i % 20, Math.floor(i / 20))).updateSingle(1n, d, a, 'x');
    await new TestObject(container, unitOid(3)).punch(2n);
    const seen: string[] = [];
    let anchor: Uint8Array | undefined;
    do {
      const page = container.listObjects(NEWEST, 4, anchor);
      seen.push(...page.items.map(({ oid, shard }) => `${oid.lo}/${shard}`));
      anchor = page.next;
    } while (anchor);
    expect(seen).toHaveLength(24);
    expect(new Set(seen).size).toBe(24);
    expect(() => container.listObjects(NEWEST, 4, bytes('\x09nonsense'))).toThrow(expect.objectContaining({ der: 'INVAL' }));
  });

  it('keeps lexical keys in order and finds its way with long ones', async () => {
    const flavours = { dkey: 'lexical', akey: 'lexical' } as const;
    const object = new TestObject(container, unitOid(1), flavours);
    const keys = ['b', 'a', 'aa', 'a'.repeat(900), `${'a'.repeat(900)}b`, `${'a'.repeat(899)}c`, 'c'].map(bytes);
    for (const [i, dkey] of keys.entries()) await object.updateSingle(BigInt(i + 1), dkey, a, 'x');
    const listed: string[] = [];
    let anchor: Uint8Array | undefined;
    do {
      const page = container.listDkeys({ oid: object.oid, flavours, epr: NEWEST, limit: 1, ...(anchor ? { anchor } : {}) });
      listed.push(...page.items.map((item) => Buffer.from(item).toString()));
      anchor = page.next;
      if (anchor) expect(anchor.length).toBeLessThanOrEqual(104);
    } while (anchor);
    expect(listed).toEqual(keys.map(String).sort());
    const from = container.keyToAnchor({ oid: object.oid, flavours, dkey: bytes(`${'a'.repeat(900)}a`) });
    const page = container.listDkeys({ oid: object.oid, flavours, epr: NEWEST, limit: 1, anchor: from });
    expect(Buffer.from(page.items[0] ?? []).toString()).toBe(`${'a'.repeat(900)}b`);
    await expect(object.updateSingle(9n, Buffer.alloc(1025, 'a'), a, 'x')).rejects.toMatchObject({ der: 'KEY2BIG' });
  });
});

describe('checksums given with an update (28.4)', () => {
  const d = bytes('d');
  const a = bytes('a');
  const sums = (count: number, from: number): IodChecksums => ({
    type: 3,
    chunkBytes: 64,
    length: 8,
    bytes: Buffer.from(Array.from({ length: count * 8 }, (_, i) => from + Math.floor(i / 8))),
  });

  it('of a single value come back with its epoch (25, 26)', async () => {
    const { oid, flavours } = new TestObject(container);
    for (const epoch of [10n, 20n]) {
      await container.update({ oid, flavours, epoch, flags: 0, dkey: d, iods: [single(a, 3)], values: [bytes('abc')], checksums: [sums(1, Number(epoch))] });
    }
    const read = async (epoch: bigint) => (await container.fetch({ oid, flavours, epoch, flags: 0, dkey: d, iods: [single(a, 0)] }))[0]?.pieces[0];
    expect(await read(EPOCH_MAX)).toMatchObject({ epoch: 20n, stored: { checksums: { type: 3, length: 8 } } });
    expect((await read(15n))?.epoch).toBe(10n);
    expect(Buffer.from((await read(10n))?.stored?.checksums.bytes ?? [])).toEqual(Buffer.alloc(8, 10));
    expect(await read(9n)).toBeUndefined();
  });

  it('of extents come back chunk by chunk (27, 28, 28.17 112)', async () => {
    const { oid, flavours } = new TestObject(container);
    const write = (epoch: bigint, idx: number, checksums?: IodChecksums) =>
      container.update({ oid, flavours, epoch, flags: 0, dkey: d, iods: [array(a, 1, [idx, 128])], values: [Buffer.alloc(128, idx)], checksums: [checksums] });
    await write(1n, 0, sums(2, 1));
    await write(2n, 32, sums(3, 11));
    const [iod] = await container.fetch({ oid, flavours, epoch: 2n, flags: 0, dkey: d, iods: [array(a, 1, [0, 160])] });
    const shown = iod?.pieces.map(({ recx, epoch, stored }) => ({ recx, epoch, stored: stored?.recx, sums: [...(stored?.checksums.bytes ?? [])].filter((_, i) => i % 8 === 0) }));
    expect(shown).toEqual([
      { recx: { idx: 0n, nr: 32n }, epoch: 1n, stored: { idx: 0n, nr: 64n }, sums: [1] },
      { recx: { idx: 32n, nr: 128n }, epoch: 2n, stored: { idx: 32n, nr: 128n }, sums: [11, 12, 13] },
    ]);
    const [part] = await container.fetch({ oid, flavours, epoch: 2n, flags: 0, dkey: d, iods: [array(a, 1, [70, 4], [130, 1])] });
    expect(part?.pieces.map(({ stored }) => stored?.recx)).toEqual([{ idx: 64n, nr: 64n }, { idx: 128n, nr: 32n }]);
    expect(part?.pieces.map(({ data }) => data.length)).toEqual([4, 1]);
    await write(3n, 500);
    const [bare] = await container.fetch({ oid, flavours, epoch: 3n, flags: 0, dkey: d, iods: [array(a, 1, [500, 10])] });
    expect(bare?.pieces[0]?.stored).toBeUndefined();
  });
});

describe('a batch', () => {
  it('is not disturbed by a refused update; later updates see earlier ones', async () => {
    const object = new TestObject(container);
    const d = bytes('d');
    const a = bytes('a');
    const outcomes = await Promise.allSettled([
      object.updateSingle(1n, d, a, 'one', Cond.DKEY_INSERT),
      object.updateSingle(2n, d, a, 'two', Cond.DKEY_INSERT),
      object.updateSingle(3n, d, a, 'three', Cond.DKEY_UPDATE),
      object.punch(4n, d, [bytes('missing')], Cond.PUNCH),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    expect(await object.fetchSingle(EPOCH_MAX, d, a)).toBe('three');
    expect(await object.fetchSingle(2n, d, a)).toBe('one');
  });

  it('is seen before it is durable', async () => {
    const object = new TestObject(container);
    const done = object.updateSingle(1n, bytes('d'), bytes('a'), 'now');
    expect(await object.fetchSingle(1n, bytes('d'), bytes('a'))).toBe('now');
    expect(container.listDkeys({ oid: object.oid, flavours: HASHED, epr: NEWEST, limit: 5 }).items).toHaveLength(1);
    await done;
    await test.pool.flush();
  });
});
