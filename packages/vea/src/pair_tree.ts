/**
 * Ordered set of pairs of numbers, compared by the first, then the second: a treap (Seidel and Aragon, "Randomized
 * Search Trees", 1996) in typed arrays, so that a million extents cost 28 MB and no garbage. Every operation is
 * O(log n) expected. A node is a number; 0 is "none". Node numbers are valid until the next insert or delete.
 * A pair may carry a third number that takes no part in the order.
 */
const CAPACITY_MIN = 64;

export class PairTree {
  private a = new Float64Array(CAPACITY_MIN);
  private b = new Float64Array(CAPACITY_MIN);
  private carried: Float64Array | undefined;
  private left = new Int32Array(CAPACITY_MIN);
  private right = new Int32Array(CAPACITY_MIN);
  private priority = new Int32Array(CAPACITY_MIN);
  private root = 0;
  private used = 1;
  /** Head of the list of freed nodes, linked through `left`. */
  private spare = 0;
  private count = 0;
  private splitLow = 0;
  private splitHigh = 0;
  private seed = 0x9e3779b9;

  constructor(options: { readonly carries: boolean } = { carries: false }) {
    if (options.carries) this.carried = new Float64Array(CAPACITY_MIN);
  }

  get size(): number {
    return this.count;
  }

  /** Memory of the arrays. */
  get bytes(): number {
    const { a, b, carried, left, right, priority } = this;
    return [a, b, left, right, priority].reduce((sum, array) => sum + array.byteLength, carried?.byteLength ?? 0);
  }

  first(node: number): number {
    return this.a[node] as number;
  }

  second(node: number): number {
    return this.b[node] as number;
  }

  /** What the pair carries; 0 when the tree carries nothing. */
  third(node: number): number {
    return this.carried === undefined ? 0 : (this.carried[node] as number);
  }

  /** Adds a pair; it must not be there. */
  insert(a: number, b: number, carried = 0): void {
    const added = this.allocate(a, b, carried);
    const priority = this.priority[added] as number;
    let parent = 0;
    let goLeft = false;
    let node = this.root;
    while (node !== 0 && (this.priority[node] as number) >= priority) {
      parent = node;
      goLeft = this.compare(a, b, node) < 0;
      node = (goLeft ? this.left[node] : this.right[node]) as number;
    }
    this.split(node, a, b);
    this.left[added] = this.splitLow;
    this.right[added] = this.splitHigh;
    this.link(parent, goLeft, added);
    this.count++;
  }

  /** Changes a pair in its place, which must stay its place: no other pair lies between the old and the new. */
  rewrite(node: number, a: number, b: number, carried = 0): void {
    this.a[node] = a;
    this.b[node] = b;
    if (this.carried !== undefined) this.carried[node] = carried;
  }

  /** Removes a pair; false when it was not there. */
  delete(a: number, b: number): boolean {
    let parent = 0;
    let goLeft = false;
    let node = this.root;
    while (node !== 0) {
      const order = this.compare(a, b, node);
      if (order === 0) break;
      parent = node;
      goLeft = order < 0;
      node = (goLeft ? this.left[node] : this.right[node]) as number;
    }
    if (node === 0) return false;
    this.link(parent, goLeft, this.merge(this.left[node] as number, this.right[node] as number));
    this.left[node] = this.spare;
    this.spare = node;
    this.count--;
    return true;
  }

  /** The largest pair that is not above (a, b). */
  floor(a: number, b: number): number {
    let found = 0;
    let node = this.root;
    while (node !== 0) {
      if (this.compare(a, b, node) >= 0) {
        found = node;
        node = this.right[node] as number;
      } else node = this.left[node] as number;
    }
    return found;
  }

  /** The smallest pair that is not below (a, b). */
  ceiling(a: number, b: number): number {
    let found = 0;
    let node = this.root;
    while (node !== 0) {
      if (this.compare(a, b, node) <= 0) {
        found = node;
        node = this.left[node] as number;
      } else node = this.right[node] as number;
    }
    return found;
  }

  max(): number {
    let node = this.root;
    while (node !== 0 && this.right[node] !== 0) node = this.right[node] as number;
    return node;
  }

  /** All pairs, ascending. The set must not change meanwhile. */
  *pairs(): Generator<[number, number]> {
    let node = this.ceiling(-Infinity, -Infinity);
    while (node !== 0) {
      const a = this.first(node);
      const b = this.second(node);
      yield [a, b];
      node = this.above(a, b);
    }
  }

  /** The smallest pair above (a, b). */
  private above(a: number, b: number): number {
    let found = 0;
    let node = this.root;
    while (node !== 0) {
      if (this.compare(a, b, node) < 0) {
        found = node;
        node = this.left[node] as number;
      } else node = this.right[node] as number;
    }
    return found;
  }

  private compare(a: number, b: number, node: number): number {
    return a - (this.a[node] as number) || b - (this.b[node] as number) || 0;
  }

  private link(parent: number, asLeft: boolean, child: number): void {
    if (parent === 0) this.root = child;
    else if (asLeft) this.left[parent] = child;
    else this.right[parent] = child;
  }

  /** Cuts a subtree into the nodes below and above (a, b): `splitLow`, `splitHigh`. */
  private split(node: number, a: number, b: number): void {
    if (node === 0) {
      this.splitLow = this.splitHigh = 0;
    } else if (this.compare(a, b, node) < 0) {
      this.split(this.left[node] as number, a, b);
      this.left[node] = this.splitHigh;
      this.splitHigh = node;
    } else {
      this.split(this.right[node] as number, a, b);
      this.right[node] = this.splitLow;
      this.splitLow = node;
    }
  }

  private merge(low: number, high: number): number {
    if (low === 0) return high;
    if (high === 0) return low;
    if ((this.priority[low] as number) >= (this.priority[high] as number)) {
      this.right[low] = this.merge(this.right[low] as number, high);
      return low;
    }
    this.left[high] = this.merge(low, this.left[high] as number);
    return high;
  }

  private allocate(a: number, b: number, carried: number): number {
    let node = this.spare;
    if (node !== 0) this.spare = this.left[node] as number;
    else {
      if (this.used === this.a.length) this.grow();
      node = this.used++;
    }
    this.rewrite(node, a, b, carried);
    // xorshift32: balance needs spread, not secrecy; a fixed seed makes runs repeat
    let x = this.seed;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.seed = x;
    this.priority[node] = x;
    return node;
  }

  private grow(): void {
    const capacity = this.a.length * 2;
    this.a = widen(new Float64Array(capacity), this.a);
    this.b = widen(new Float64Array(capacity), this.b);
    if (this.carried) this.carried = widen(new Float64Array(capacity), this.carried);
    this.left = widen(new Int32Array(capacity), this.left);
    this.right = widen(new Int32Array(capacity), this.right);
    this.priority = widen(new Int32Array(capacity), this.priority);
  }
}

function widen<T extends Float64Array | Int32Array>(to: T, from: T): T {
  to.set(from);
  return to;
}
