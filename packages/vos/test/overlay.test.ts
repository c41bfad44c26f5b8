import { seededRandom } from '@daos/gurt';

import { IndexKey } from '../src/layout/index_key.js';
import { mergeEntries } from '../src/umem/merge.js';
import { Overlay } from '../src/umem/overlay.js';

function key(text: string): IndexKey {
  return new IndexKey().assign(Buffer.from(text));
}

describe('the overlay', () => {
  it('answers as a sorted map does, for any order of puts, removals and scans', () => {
    const random = seededRandom(3);
    const overlay = new Overlay();
    const model = new Map<string, string | undefined>();
    const name = (): string => Buffer.from(Array.from({ length: 1 + random.below(3) }, () => 97 + random.below(8))).toString();
    for (let i = 0; i < 20_000; i++) {
      const text = name();
      const value = random.below(4) === 0 ? undefined : `${i}`;
      overlay.put(key(text), value === undefined ? undefined : Buffer.from(value));
      model.set(text, value);
      if (i % 97 > 0) continue;
      const [from, to] = [name(), name()].sort() as [string, string];
      const reverse = random.below(2) === 0;
      const want = [...model].filter(([k]) => k >= from && k < to).sort(([a], [b]) => (a < b ? -1 : 1));
      if (reverse) want.reverse();
      const got = [...overlay.range(key(from), key(to), reverse)].map((e) => [Buffer.from(e.key).toString(), e.value && Buffer.from(e.value).toString()]);
      expect(got).toEqual(want.map(([k, v]) => [k, v]));
      expect(overlay.isEmptyBetween(key(from), key(to))).toBe(want.length === 0);
      const last = overlay.findLast(key(from), key(to));
      expect(last && Buffer.from(last.key).toString()).toBe(want.at(reverse ? 0 : -1)?.[0]);
    }
    expect(overlay.count).toBe(model.size);
    for (const [text, value] of model) {
      const found = overlay.find(key(text))?.value;
      expect(found && Buffer.from(found).toString()).toBe(value);
    }
    expect(overlay.find(key('zzzz'))).toBeUndefined();
  });

  it('hides what lies below it in a merge', () => {
    const entry = (text: string, value?: string) => ({ key: Buffer.from(text), value: value === undefined ? undefined : Buffer.from(value) });
    const above = [entry('b', 'new'), entry('c'), entry('e', 'only here')];
    const below = [entry('a', 'old'), entry('b', 'old'), entry('c', 'old'), entry('d', 'old')];
    const texts = (entries: Iterable<{ key: Uint8Array; value: Uint8Array }>): string[] => [...entries].map((e) => `${String(e.key)}=${String(e.value)}`);
    expect(texts(mergeEntries([above, below], false, Infinity))).toEqual(['a=old', 'b=new', 'd=old', 'e=only here']);
    expect(texts(mergeEntries([above.toReversed(), below.toReversed()], true, 2))).toEqual(['e=only here', 'd=old']);
  });
});
