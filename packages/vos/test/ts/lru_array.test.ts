import { seededRandom } from '@daos/gurt';

import { LruArray } from '../../src/ts/lru_array.js';
import { SlotArray } from '../../src/ts/slot_array.js';
import { NO_SLOT } from '../../src/ts/slot_list.js';

const SEED = Number(process.env['VOS_SEED'] ?? Math.floor(Math.random() * 1e9));

describe('the LRU array', () => {
  it('gives out each slot once before it evicts the entry that was not used for longest', () => {
    const evicted: number[] = [];
    const array = new LruArray(4, (_slot, _hi, lo) => evicted.push(lo));
    const slots = [1, 2, 3, 4].map((key) => array.allocate(0, key));
    expect(new Set(slots).size).toBe(4);
    expect(array.lookup(slots[0]!, 0, 1)).toBe(true);
    array.allocate(0, 5);
    array.allocate(0, 6);
    expect(evicted).toEqual([2, 3]);
    expect(array.lookup(slots[0]!, 0, 1)).toBe(true);
    expect(array.lookup(slots[1]!, 0, 2)).toBe(false);
    expect(array.count).toBe(4);
  });

  it('leaves the order of use alone when it is only asked whether it holds an entry', () => {
    const array = new LruArray(2);
    const first = array.allocate(0, 1);
    array.allocate(0, 2);
    expect(array.holds(first, 0, 1)).toBe(true);
    array.allocate(0, 3);
    expect(array.holds(first, 0, 1)).toBe(false);
  });

  it('finds an entry only by its slot and its whole key', () => {
    const array = new LruArray(8);
    const slot = array.allocate(0xffff_ffff, 7);
    expect(array.lookup(slot, 0xffff_ffff, 7)).toBe(true);
    expect(array.lookup(slot, 0xffff_fffe, 7)).toBe(false);
    expect(array.lookup(slot, 0xffff_ffff, 8)).toBe(false);
    expect(array.lookup(slot + 1, 0xffff_ffff, 7)).toBe(false);
    expect(array.lookup(NO_SLOT, 0xffff_ffff, 7)).toBe(false);
    expect(array.lookup(8, 0xffff_ffff, 7)).toBe(false);
  });

  it('uses an evicted slot for the next entry', () => {
    const array = new LruArray(8);
    const slots = [1, 2, 3].map((key) => array.allocate(0, key));
    expect(array.evict(slots[1]!, 0, 2)).toBe(true);
    expect(array.evict(slots[1]!, 0, 2)).toBe(false);
    expect(array.allocate(0, 9)).toBe(slots[1]);
  });

  it('makes an entry at a chosen slot unless that is in use', () => {
    const array = new LruArray(8);
    expect(array.allocateAt(5, 0, 50)).toBe(true);
    expect(array.allocateAt(5, 0, 51)).toBe(false);
    expect(array.allocateAt(2, 0, 20)).toBe(true);
    expect(array.lookup(5, 0, 50)).toBe(true);
    const slots = new Set([0, 1, 3, 4, 6, 7].map((key) => array.allocate(0, key)));
    expect([...slots].sort()).toEqual([0, 1, 3, 4, 6, 7]);
    expect(array.lookup(2, 0, 20)).toBe(true);
    expect(() => array.allocateAt(8, 0, 1)).toThrow('a slot of the array');
  });

  it('lets an eviction callback look up other entries but not add one', () => {
    const seen: boolean[] = [];
    const slots: number[] = [];
    const array: LruArray = new LruArray(2, (slot, hi, lo) => {
      seen.push(array.lookup(slot, hi, lo), array.lookup(slots[1]!, 0, 2));
    });
    slots.push(array.allocate(0, 1), array.allocate(0, 2));
    array.allocate(0, 3);
    expect(seen).toEqual([false, true]);
    const adding: LruArray = new LruArray(1, () => adding.allocate(0, 9));
    adding.allocate(0, 1);
    expect(() => adding.allocate(0, 2)).toThrow('adds no entry');
  });

  it(`agrees with a list in any order of allocations, lookups and evictions (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const capacity = 16;
    /** Key and slot, most recent first. */
    let model: { key: number; slot: number }[] = [];
    const evicted: number[] = [];
    const array = new LruArray(capacity, (_slot, _hi, lo) => evicted.push(lo));
    for (let key = 1; key <= 2_000; key++) {
      const some = model[random.below(model.length)];
      const what = random.below(10);
      if (some && what < 2) {
        expect(array.evict(some.slot, 0, some.key)).toBe(true);
        expect(evicted.pop()).toBe(some.key);
        model = model.filter((entry) => entry !== some);
      } else if (some && what < 6) {
        expect(array.lookup(some.slot, 0, some.key)).toBe(true);
        model = [some, ...model.filter((entry) => entry !== some)];
      } else {
        const slot = array.allocate(0, key);
        const loser = model.length === capacity ? model.pop() : undefined;
        expect(evicted.pop()).toBe(loser?.key);
        expect(model.some((entry) => entry.slot === slot)).toBe(false);
        model.unshift({ key, slot });
      }
      expect(array.count).toBe(model.length);
    }
    for (const { key, slot } of model) expect(array.holds(slot, 0, key)).toBe(true);
  });
});

describe('the array of slots in sub-arrays', () => {
  it('refuses entries when it is full, until one is evicted', () => {
    const array = new SlotArray(16, 4);
    const slots = Array.from({ length: 16 }, (_, key) => array.allocate(0, key));
    expect([...slots].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, slot) => slot));
    expect(array.allocate(0, 99)).toBe(NO_SLOT);
    expect(array.evict(slots[7]!, 0, 7)).toBe(true);
    expect(array.allocate(0, 99)).toBe(slots[7]);
    expect(array.holds(slots[7]!, 0, 7)).toBe(false);
    expect(array.holds(slots[7]!, 0, 99)).toBe(true);
    expect(array.allocate(0, 100)).toBe(NO_SLOT);
  });

  it('uses a freed slot after all other free ones', () => {
    const array = new SlotArray(8, 1);
    const first = array.allocate(0, 1);
    const second = array.allocate(0, 2);
    array.evict(second, 0, 2);
    array.evict(first, 0, 1);
    const slots = Array.from({ length: 8 }, (_, key) => array.allocate(0, key));
    expect(slots.slice(6)).toEqual([second, first]);
  });

  it('makes an entry at a chosen slot, which only that slot and key find', () => {
    const array = new SlotArray(64, 8);
    expect(array.allocateAt(42, 3, 4)).toBe(true);
    expect(array.allocateAt(42, 5, 6)).toBe(false);
    expect(array.holds(42, 3, 4)).toBe(true);
    expect(array.holds(42, 3, 5)).toBe(false);
    expect(array.holds(42, 2, 4)).toBe(false);
    expect(array.holds(43, 3, 4)).toBe(false);
    expect(array.holds(-1, 3, 4)).toBe(false);
    expect(array.holds(64, 3, 4)).toBe(false);
    expect(array.evict(42, 3, 5)).toBe(false);
    const others = Array.from({ length: 63 }, (_, key) => array.allocate(0, key));
    expect(others).not.toContain(42);
    expect(new Set(others).size).toBe(63);
    expect(array.allocate(0, 1)).toBe(NO_SLOT);
  });

  it('takes memory a sub-array at a time and gives empty ones back', () => {
    const array = new SlotArray(64, 8);
    expect(array.subArrayCount).toBe(0);
    const slots = Array.from({ length: 20 }, (_, key) => array.allocate(0, key));
    expect(array.subArrayCount).toBe(3);
    for (let key = 8; key < 20; key++) array.evict(slots[key]!, 0, key);
    expect(array.giveBack()).toBe(1);
    expect(array.subArrayCount).toBe(2);
    expect(array.giveBack(0)).toBe(1);
    expect(array.holds(slots[3]!, 0, 3)).toBe(true);
    expect(array.holds(slots[19]!, 0, 19)).toBe(false);
    expect(Array.from({ length: 57 }, (_, key) => array.allocate(0, key)).filter((slot) => slot === NO_SLOT)).toHaveLength(1);
  });

  it(`holds what was added and not evicted, in any order (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const array = new SlotArray(64, 8);
    const model = new Map<number, number>();
    for (let key = 1; key <= 2_000; key++) {
      const what = random.below(100);
      const slot = random.below(64);
      const held = model.get(slot);
      if (what < 40 || (what < 60 && held === undefined)) {
        const taken = what < 40 ? array.allocate(1, key) : slot;
        if (what >= 40) expect(array.allocateAt(slot, 1, key)).toBe(true);
        expect(taken === NO_SLOT).toBe(model.size === 64);
        expect(model.has(taken)).toBe(false);
        if (taken !== NO_SLOT) model.set(taken, key);
      } else if (what < 99) {
        expect(array.evict(slot, 1, held ?? 0)).toBe(held !== undefined);
        model.delete(slot);
      } else {
        array.giveBack(random.below(2));
      }
      expect(array.count).toBe(model.size);
      const probe = random.below(64);
      expect(array.holds(probe, 1, model.get(probe) ?? 0)).toBe(model.has(probe));
    }
  });
});
