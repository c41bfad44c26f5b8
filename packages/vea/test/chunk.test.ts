import { isDaosError } from '@daos/common';

import { Chunk, GROUP_WORDS } from '../src/chunk.js';
import { ChunkSet } from '../src/chunk_set.js';
import { randomOf } from './memory_store.js';

describe('a chunk', () => {
  it('takes the lowest free unit, in each of its words, and none when it is full', () => {
    const chunk = new Chunk(1000, 512, 1, 'new');
    for (let unit = 0; unit < 512; unit++) expect(chunk.takeUnit()).toBe(unit);
    expect(chunk.isFull).toBe(true);
    expect(() => chunk.takeUnit()).toThrow('the chunk at block 1000 is full');
    chunk.giveUnits(500, 2);
    chunk.giveUnits(31, 2);
    expect(Array.from({ length: 4 }, () => chunk.takeUnit())).toEqual([31, 32, 500, 501]);
  });

  it('agrees with a list of units over random takes and gives', () => {
    const random = randomOf(3);
    const chunk = new Chunk(0, 768 * 3, 3, 'new');
    const taken = new Set<number>();
    for (let step = 0; step < 4000; step++) {
      // fills and empties in turns
      if (random(100) < (step % 2000 < 1000 ? 70 : 30) && !chunk.isFull) {
        const unit = chunk.takeUnit();
        for (let below = 0; below < unit; below++) if (!taken.has(below)) throw new Error(`${below} is free, not ${unit}`);
        expect(taken.has(unit)).toBe(false);
        taken.add(unit);
      } else if (taken.size > 0) {
        const unit = [...taken][random(taken.size)] as number;
        taken.delete(unit);
        chunk.giveUnits(unit, 1);
      }
      expect([chunk.readyBlocks, chunk.isEmpty]).toEqual([3 * (768 - taken.size), taken.size === 0]);
    }
  });

  it('reads and loads the words of its groups', () => {
    const chunk = new Chunk(0, 512, 1, 'new');
    const words = new Uint32Array(GROUP_WORDS);
    expect(chunk.readGroup(1, words)).toBe(false);
    chunk.allocateUnits(256 + 31, 2);
    chunk.allocateUnits(511, 1);
    expect(chunk.readGroup(0, words)).toBe(false);
    expect(chunk.readGroup(1, words)).toBe(true);
    expect([...words]).toEqual([2 ** 31, 1, 0, 0, 0, 0, 0, 2 ** 31]);
    const again = new Chunk(0, 512, 1, 'published');
    again.loadGroup(1, words);
    expect([again.freeBlocks, again.readyBlocks]).toEqual([509, 509]);
    expect(again.areAllocated(287, 2)).toBe(true);
    expect(again.areAllocated(287, 3)).toBe(false);
    try {
      again.loadGroup(2, words);
    } catch (error) {
      expect(isDaosError(error, 'DF_INVAL')).toBe(true);
    }
    expect.assertions(8);
  });
});

describe('the set of chunks', () => {
  it('finds by block, and prefers chunks that are partly used, the one that has waited longest first', () => {
    const set = new ChunkSet();
    const chunks = [0, 1, 2].map((i) => new Chunk(i * 1000, 256, 1, 'published'));
    for (const chunk of chunks) set.add(chunk);
    const [a, b, c] = chunks as [Chunk, Chunk, Chunk];
    expect([set.find(255), set.find(256), set.find(1000), set.find(2255), set.find(2256)]).toEqual([a, undefined, b, c, undefined]);
    expect([set.overlaps(256, 744), set.overlaps(256, 745), set.overlaps(200, 1), set.overlaps(2256, 9999)]).toEqual([
      false, true, true, false,
    ]);
    expect([set.withRoom(1), set.withRoom(2), set.emptyCount]).toEqual([a, undefined, 3]);
    set.takeUnit(b);
    expect([set.withRoom(1), set.emptyCount]).toEqual([b, 2]);
    for (let i = 0; i < 255; i++) set.takeUnit(b);
    expect(set.withRoom(1)).toBe(a);
    set.takeUnit(c);
    set.giveUnits(b, 9, 1);
    expect(set.withRoom(1)).toBe(c);
    set.giveUnits(c, 0, 1);
    expect([set.withRoom(1), set.emptyCount, set.readyBlocks]).toEqual([b, 2, 256 + 1 + 256]);
    set.remove(a);
    expect([set.count, set.find(0), set.nextEmpty(), set.freeBlocks]).toEqual([2, undefined, c, 512]);
  });

  it('cuts a range where chunks begin and end', () => {
    const set = new ChunkSet();
    for (const offset of [100, 356, 1000]) set.add(new Chunk(offset, 256, 1, 'published'));
    const cut = (offset: number, blocks: number): [number, number][] =>
      set.cut(offset, blocks).map((piece) => [piece.offset, piece.blocks]);
    expect(cut(0, 2000)).toEqual([[0, 100], [100, 256], [356, 256], [612, 388], [1000, 256], [1256, 744]]);
    expect(cut(120, 10)).toEqual([[120, 10]]);
    expect(cut(700, 10)).toEqual([[700, 10]]);
    expect(cut(5, 0)).toEqual([]);
  });
});
