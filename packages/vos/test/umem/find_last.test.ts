import { seededRandom } from '@daos/gurt';

import { TestUmem, keyOf } from './umem_fixture.js';

const STEPS = 3000;

describe('findLast', () => {
  it('finds the greatest key below a bound, through all layers, for any order of puts, removals and checkpoints', async () => {
    const random = seededRandom(11);
    const test = await TestUmem.create({ checkpointEntries: 100, sliceEntries: 20 });
    try {
      const model = new Map<string, string>();
      const name = (): string => Array.from({ length: 1 + random.below(3) }, () => 'abcdef'.charAt(random.below(6))).join('');
      for (let i = 0; i < STEPS; i++) {
        const key = name();
        if (random.below(3) === 0) {
          test.umem.remove(keyOf(key));
          model.delete(key);
        } else {
          test.put(key, `${i}`);
          model.set(key, `${i}`);
        }
        const [from, to] = [name(), name()].sort() as [string, string];
        const want = [...model].filter(([k]) => k >= from && k < to).sort(([a], [b]) => (a < b ? -1 : 1)).at(-1);
        const found = test.umem.findLast(keyOf(from), keyOf(to));
        const got = found && [String(Buffer.from(found.key.subarray(1))), String(Buffer.from(found.value))];
        expect([i, got]).toEqual([i, want]);
        if (random.below(5) === 0) await test.umem.durable();
      }
      const checkpoints = test.types().filter((type) => type === 'checkpointDone').length;
      expect(checkpoints).toBeGreaterThan(5);
    } finally {
      await test.destroy();
    }
  });
});
