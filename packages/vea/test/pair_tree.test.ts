import { PairTree } from '../src/pair_tree.js';

describe('pair tree', () => {
  it('agrees with a sorted array over random inserts, deletes and searches', () => {
    const tree = new PairTree();
    let model: [number, number][] = [];
    let state = 7;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let step = 0; step < 5000; step++) {
      const pair: [number, number] = [random(60), random(4)];
      const at = model.findIndex(([a, b]) => a === pair[0] && b === pair[1]);
      if (random(5) < 3) {
        if (at < 0) {
          tree.insert(...pair);
          model.push(pair);
          model.sort((x, y) => x[0] - y[0] || x[1] - y[1]);
        }
      } else {
        expect(tree.delete(...pair)).toBe(at >= 0);
        model = model.filter((_, i) => i !== at);
      }
      expect(tree.size).toBe(model.length);
      const [a, b] = [random(60), random(4)];
      const below = model.filter(([x, y]) => x < a || (x === a && y <= b)).at(-1);
      const above = model.find(([x, y]) => x > a || (x === a && y >= b));
      const read = (node: number): [number, number] | undefined =>
        node === 0 ? undefined : [tree.first(node), tree.second(node)];
      expect(read(tree.floor(a, b))).toEqual(below);
      expect(read(tree.ceiling(a, b))).toEqual(above);
      expect(read(tree.max())).toEqual(model.at(-1));
    }
    expect([...tree.pairs()]).toEqual(model);
  });

  it('carries a third number along, and moves a pair within its place', () => {
    const tree = new PairTree({ carries: true });
    for (let i = 0; i < 1000; i++) tree.insert((i * 7) % 1000, i, -i);
    for (let i = 0; i < 1000; i += 2) {
      const node = tree.floor((i * 7) % 1000, Infinity);
      expect(tree.third(node)).toBe(-i);
      tree.rewrite(node, tree.first(node) + 0.5, 7, i);
    }
    const pairs = [...tree.pairs()];
    expect(pairs.map(([a]) => a)).toEqual(pairs.map(([a]) => a).sort((x, y) => x - y));
    expect(tree.delete(0.5, 7)).toBe(true);
    expect(tree.third(tree.floor(14.5, 7))).toBe(2);
    expect(new PairTree().third(0)).toBe(0);
  });

  it('stays fast with many extents', () => {
    const tree = new PairTree();
    const started = performance.now();
    for (let i = 0; i < 100_000; i++) tree.insert((i * 7919) % 100_003, i);
    let found = 0;
    for (let i = 0; i < 100_000; i++) if (tree.floor(i, Infinity) !== 0) found++;
    expect(found).toBe(100_000);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
