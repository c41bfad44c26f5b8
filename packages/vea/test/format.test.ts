import { VEA_COMPAT_BITMAP, VEA_MAGIC, Vea } from '../src/index.js';
import { GIB, MIB, MemoryStore, codeOf, emptyRows, makeVea } from './memory_store.js';

describe('format', () => {
  it('twice is DER_EXIST, with force it starts anew', () => {
    const { vea, store } = makeVea({ capacityBytes: 128 * MIB });
    vea.publish([vea.reserve(5), vea.reserve(500)]);
    expect(codeOf(() => Vea.format(store, { capacityBytes: 128 * MIB }))).toBe('EXIST');
    expect(codeOf(() => Vea.format(store, 1000))).toBe('EXIST');
    Vea.format(store, { capacityBytes: 64 * MIB, force: true });
    expect(store.rows).toMatchObject({ extents: new Map([[0, 16 * 1024 - 1]]), chunks: new Map(), words: new Map() });
    expect(Vea.load(store).freeBlocks).toBe(16 * 1024 - 1);
  });

  it('says what the space is in a descriptor', () => {
    const { vea, store } = makeVea({ capacityBytes: GIB, blockBytes: 64 * 1024, headerBlocks: 2 });
    expect(store.rows.descriptor).toEqual({
      magic: VEA_MAGIC,
      compat: VEA_COMPAT_BITMAP,
      blockBytes: 64 * 1024,
      headerBlocks: 2,
      totalBlocks: 16 * 1024 - 2,
    });
    expect(VEA_MAGIC).toBe(0xea201804);
    expect(vea.attributes).toEqual({
      compat: VEA_COMPAT_BITMAP,
      blockBytes: 64 * 1024,
      headerBlocks: 2,
      totalBlocks: 16 * 1024 - 2,
      largeBlocks: 1024,
      freeBlocks: 16 * 1024 - 2,
    });
  });

  it('of a fresh space leaves one large free extent and nothing else', () => {
    const { vea } = makeVea({ capacityBytes: 129 * MIB });
    const total = 129 * 256 - 1;
    expect(vea.attributes).toMatchObject({ blockBytes: 4096, headerBlocks: 1, largeBlocks: 16_384, totalBlocks: total });
    expect(vea.statistics()).toEqual({
      freePersistent: total,
      freeTransient: total,
      fragmentsLarge: 1,
      fragmentsSmall: 0,
      fragmentsBitmap: 0,
      fragmentsAging: 0,
      agingBlocks: 0,
      reservedByHint: 0,
      reservedLarge: 0,
      reservedSmall: 0,
      reservedBitmap: 0,
    });
  });

  const usable = (blocks: number): number => (blocks + 1) * 4096;
  it.each([
    ['DER_INVAL for blocks that are no multiple of 4 KiB', { capacityBytes: GIB, blockBytes: 6000 }, 'INVAL'],
    ['DER_INVAL for blocks of less than 4 KiB', { capacityBytes: GIB, blockBytes: 512 }, 'INVAL'],
    ['DER_INVAL for blocks of more than 1 MiB', { capacityBytes: GIB, blockBytes: MIB + 4096 }, 'INVAL'],
    ['DER_INVAL for no header block', { capacityBytes: GIB, headerBlocks: 0 }, 'INVAL'],
    ['DER_INVAL for a capacity that is no count of bytes', { capacityBytes: -1 }, 'INVAL'],
    ['DER_NOSPACE for fewer than 100 usable blocks', { capacityBytes: usable(100) - 1 }, 'NOSPACE'],
    ['DER_NOSPACE when the header leaves too few', { capacityBytes: usable(200), headerBlocks: 102 }, 'NOSPACE'],
    ['DER_INVAL for more than 2^32 - 1 usable blocks', { capacityBytes: usable(2 ** 32) }, 'INVAL'],
  ])('answers %s', (_, format, der) => {
    const store = new MemoryStore();
    expect(codeOf(() => Vea.format(store, format))).toBe(der);
    expect(store.rows).toEqual(emptyRows());
  });

  it('takes the smallest and the largest device, and blocks of 1 MiB', () => {
    expect(makeVea({ capacityBytes: usable(100) }).vea.freeBlocks).toBe(100);
    expect(makeVea({ capacityBytes: usable(2 ** 32 - 1) }).vea.freeBlocks).toBe(2 ** 32 - 1);
    expect(makeVea({ capacityBytes: GIB, blockBytes: MIB }).vea.freeBlocks).toBe(1023);
  });

  it('takes a number of usable blocks as well', () => {
    expect(codeOf(() => Vea.format(new MemoryStore(), 99))).toBe('NOSPACE');
    expect(codeOf(() => Vea.format(new MemoryStore(), 2 ** 32))).toBe('INVAL');
    expect(codeOf(() => Vea.format(new MemoryStore(), 1000.5))).toBe('INVAL');
    expect(makeVea(1000).vea.attributes).toMatchObject({ totalBlocks: 1000, headerBlocks: 1, compat: VEA_COMPAT_BITMAP });
  });
});

describe('load', () => {
  const formatted = (): MemoryStore => makeVea(10_000).store;

  it('of an unformatted space is DER_UNINIT', () => {
    expect(codeOf(() => Vea.load(new MemoryStore()))).toBe('UNINIT');
    const other = formatted();
    other.rows.descriptor = { ...other.rows.descriptor!, magic: 0x20180417 };
    expect(codeOf(() => Vea.load(other))).toBe('UNINIT');
  });

  it('of features it does not know is DER_DF_INCOMPT', () => {
    const store = formatted();
    store.rows.descriptor = { ...store.rows.descriptor!, compat: 3 };
    expect(codeOf(() => Vea.load(store))).toBe('DF_INCOMPT');
  });

  it.each([
    ['blocks', { blockBytes: 5000 }],
    ['a header', { headerBlocks: -1 }],
    ['a size', { totalBlocks: 99 }],
    ['a size of', { totalBlocks: 2 ** 32 }],
  ])('of a descriptor with %s that cannot be is DER_DF_INVAL', (_, damage) => {
    const store = formatted();
    store.rows.descriptor = { ...store.rows.descriptor!, ...damage };
    expect(codeOf(() => Vea.load(store))).toBe('DF_INVAL');
  });

  it('refuses a device of another size', () => {
    expect(codeOf(() => new Vea(formatted(), 10_001))).toBe('DF_INVAL');
    expect(new Vea(formatted(), 10_000).freeBlocks).toBe(10_000);
  });

  it.each([
    ['overlap', [[0, 10], [5, 10]]],
    ['touch', [[0, 10], [10, 10]]],
    ['leave the device', [[9_999, 2]]],
    ['are empty', [[3, 0]]],
    ['lie before the device', [[-1, 5]]],
    ['lie in a chunk', [[2_000, 5]]],
    ['cover a chunk', [[1_000, 3_000]]],
  ])('refuses stored extents that %s', (_, rows) => {
    const store = formatted();
    store.rows.extents = new Map(rows as [number, number][]);
    store.rows.chunks.set(1_900, { offset: 1_900, blocks: 256, unitBlocks: 1 });
    expect(codeOf(() => Vea.load(store))).toBe('DF_INVAL');
  });

  it.each([
    ['are no multiple of 256 units', [{ offset: 0, blocks: 300, unitBlocks: 1 }]],
    ['have units of no class', [{ offset: 0, blocks: 65 * 256, unitBlocks: 65 }]],
    ['have units of no size', [{ offset: 0, blocks: 256, unitBlocks: 0 }]],
    ['are too long', [{ offset: 0, blocks: 65 * 256, unitBlocks: 1 }]],
    ['leave the device', [{ offset: 9_900, blocks: 256, unitBlocks: 1 }]],
    ['overlap', [{ offset: 0, blocks: 512, unitBlocks: 2 }, { offset: 256, blocks: 256, unitBlocks: 1 }]],
    ['lie in each other', [{ offset: 0, blocks: 1024, unitBlocks: 4 }, { offset: 256, blocks: 256, unitBlocks: 1 }]],
  ])('refuses stored chunks that %s', (_, chunks) => {
    const store = formatted();
    store.rows.extents.clear();
    for (const chunk of chunks) store.rows.chunks.set(chunk.offset, chunk);
    expect(codeOf(() => Vea.load(store))).toBe('DF_INVAL');
  });

  it('refuses words of no chunk and of no group', () => {
    for (const [offset, group] of [[0, 0], [256, 1]] as const) {
      const store = formatted();
      store.rows.extents.clear();
      store.rows.chunks.set(256, { offset: 256, blocks: 256, unitBlocks: 1 });
      store.putWords(offset, group, new Uint32Array(8));
      expect(codeOf(() => Vea.load(store))).toBe('DF_INVAL');
    }
  });
});

describe('a space from before there were descriptors', () => {
  /** Its only rows are free extents. */
  function old(extents: [number, number][] = [[10, 5_000], [6_000, 4_000]]): MemoryStore {
    return new MemoryStore({ ...emptyRows(), extents: new Map(extents) });
  }

  it('loads when its size is known, also when it is full, without bitmaps', () => {
    expect(codeOf(() => Vea.load(old()))).toBe('UNINIT');
    expect(new Vea(old([]), 10_000).freeBlocks).toBe(0);
    const vea = new Vea(old(), 10_000);
    expect(vea.freeBlocks).toBe(9_000);
    expect(vea.attributes).toMatchObject({ compat: 0, headerBlocks: 0, totalBlocks: 10_000 });
    vea.reserve(1);
    expect(vea.statistics()).toMatchObject({ reservedBitmap: 0, reservedSmall: 1 });
  });

  it('is not formatted again', () => {
    expect(codeOf(() => Vea.format(old(), 10_000))).toBe('EXIST');
  });

  it('gets no rows that its programs do not know', () => {
    const store = old();
    const vea = new Vea(store, 10_000);
    const hint = vea.hint(7);
    vea.publish([vea.reserve(3, hint), vea.reserve(300, hint)]);
    vea.free(0, 10);
    vea.dropHint(7);
    expect(store.rows).toMatchObject({ descriptor: undefined, chunks: new Map(), words: new Map(), hints: new Map() });
  });

  it('has bitmaps and hints after an upgrade, which a second one leaves alone', () => {
    const store = old();
    const vea = new Vea(store, 10_000);
    vea.upgrade();
    const { changes } = store;
    vea.upgrade();
    expect(store.changes).toBe(changes);
    const hint = vea.hint(7);
    vea.publish([vea.reserve(3, hint), vea.reserve(300, hint)]);
    expect(vea.statistics()).toMatchObject({ reservedBitmap: 1, fragmentsBitmap: 1 });
    expect(store.rows.hints.size).toBe(1);
    const again = Vea.load(store);
    expect([again.freeBlocks, again.totalBlocks]).toEqual([9_000 - 303, 10_000]);
  });

  it('is not upgraded inside a transaction', () => {
    const vea = new Vea(old(), 10_000);
    const tx = vea.begin();
    expect(codeOf(() => vea.upgrade())).toBe('INVAL');
    tx.commit();
    vea.upgrade();
    expect(vea.attributes.compat).toBe(VEA_COMPAT_BITMAP);
  });
});
