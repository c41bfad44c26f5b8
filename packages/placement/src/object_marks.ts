import type { MapView } from './map_view.js';

/** Marks of a domain while the layout of one object is made (bits). */
export const Mark = {
  /** All of its targets are taken. */
  FULL: 1,
  /** Tried or used by the present group. */
  TRIED: 2,
  /** Used in this round; rounds last over groups, so that they spread. */
  USED: 4,
  /** Really holds a usable shard of the present group. */
  REAL: 8,
} as const;

const GROUP_BITS = Mark.TRIED | Mark.REAL;
/** The domain is in the list of domains that the group has marked. */
const IN_GROUP = 16;
/** The domain is in the list of domains that the object has marked. */
const IN_OBJECT = 32;

/** Marks of one group, put aside while other groups are worked on. */
export interface GroupMarks {
  readonly domains: Int32Array;
  readonly bits: Uint8Array;
}

/**
 * What the layout of one object has used so far. For every domain it is known at once whether all of its children are
 * full, tried or used: each change of a mark is counted at the parent, so that the cost of a layout does not grow with
 * the width of the pool. Forgetting costs what was marked.
 */
export class ObjectMarks {
  readonly bits: Uint8Array;
  readonly taken: Uint8Array;
  /** Existing children that are full; full or tried; used or tried. The last entry stands in for the root's parent. */
  private readonly fullChildren: Int32Array;
  private readonly closedChildren: Int32Array;
  private readonly spentChildren: Int32Array;
  /** Existing targets that are taken, by fault-level domain. */
  private readonly takenTargets: Int32Array;
  private readonly parent: Int32Array;
  private readonly object: Int32Array;
  private objectCount = 0;
  private readonly group: Int32Array;
  private groupCount = 0;
  /** Targets that were ever taken by the object, each once. */
  private readonly takenList: Int32Array;
  private readonly takenListed: Uint8Array;
  private takenCount = 0;

  constructor(private readonly view: MapView) {
    const domains = view.map.domains.length;
    const targets = view.map.targets.length;
    this.bits = new Uint8Array(domains);
    this.taken = new Uint8Array(targets);
    this.fullChildren = new Int32Array(domains + 1);
    this.closedChildren = new Int32Array(domains + 1);
    this.spentChildren = new Int32Array(domains + 1);
    this.takenTargets = new Int32Array(domains);
    this.parent = Int32Array.from(view.parent, (parent) => (parent < 0 ? domains : parent));
    this.object = new Int32Array(domains);
    this.group = new Int32Array(domains);
    this.takenList = new Int32Array(targets);
    this.takenListed = new Uint8Array(targets);
  }

  /** Forgets everything: a new object begins. */
  clear(): void {
    for (let i = 0; i < this.objectCount; i++) {
      const domain = this.object[i] ?? 0;
      const parent = this.parent[domain] ?? 0;
      this.bits[domain] = 0;
      this.fullChildren[parent] = this.closedChildren[parent] = this.spentChildren[parent] = 0;
    }
    for (let i = 0; i < this.takenCount; i++) {
      const target = this.takenList[i] ?? 0;
      this.taken[target] = this.takenListed[target] = 0;
      this.takenTargets[this.view.faultDomain[target] ?? 0] = 0;
    }
    this.objectCount = this.groupCount = this.takenCount = 0;
  }

  set(domain: number, bits: number): void {
    const before = this.bits[domain] ?? 0;
    let next = before | bits;
    if ((next & IN_OBJECT) === 0) {
      next |= IN_OBJECT;
      this.object[this.objectCount++] = domain;
    }
    if (bits & GROUP_BITS && (next & IN_GROUP) === 0) {
      next |= IN_GROUP;
      this.group[this.groupCount++] = domain;
    }
    this.change(domain, before, next);
  }

  unset(domain: number, bits: number): void {
    const before = this.bits[domain] ?? 0;
    this.change(domain, before, before & ~bits);
  }

  has(domain: number, bits: number): boolean {
    return ((this.bits[domain] ?? 0) & bits) !== 0;
  }

  private change(domain: number, before: number, next: number): void {
    this.bits[domain] = next;
    if (((before ^ next) & (Mark.FULL | Mark.TRIED | Mark.USED)) === 0 || this.view.domainSkipped[domain] === 1) return;
    const parent = this.parent[domain] ?? 0;
    add(this.fullChildren, parent, before, next, Mark.FULL);
    add(this.closedChildren, parent, before, next, Mark.FULL | Mark.TRIED);
    add(this.spentChildren, parent, before, next, Mark.USED | Mark.TRIED);
  }

  /** Whether no child of a domain is left that is not full; children that do not exist count as full. */
  allFull(domain: number): boolean {
    return this.fullChildren[domain] === this.view.visibleCount[domain];
  }

  /** Whether every child is full or was tried by the group. */
  allClosed(domain: number): boolean {
    return this.closedChildren[domain] === this.view.visibleCount[domain];
  }

  /** Whether every child was used in this round or tried by the group. */
  allSpent(domain: number): boolean {
    return this.spentChildren[domain] === this.view.visibleCount[domain];
  }

  take(target: number): void {
    if (this.taken[target] === 1) return;
    this.taken[target] = 1;
    if (this.takenListed[target] === 0) {
      this.takenListed[target] = 1;
      this.takenList[this.takenCount++] = target;
    }
    const domain = this.view.faultDomain[target] ?? 0;
    if (this.view.targetSkipped[target] === 0) this.takenTargets[domain] = (this.takenTargets[domain] ?? 0) + 1;
  }

  /** Whether no target of a fault-level domain is free. */
  allTaken(domain: number): boolean {
    return this.takenTargets[domain] === this.view.visibleCount[domain];
  }

  /** Frees the targets of a fault-level domain: shards may share them from now on. */
  untakeAll(domain: number): void {
    this.taken.fill(0, this.view.childStart[domain] ?? 0, this.view.childEnd[domain] ?? 0);
    this.takenTargets[domain] = 0;
  }

  /** Puts the marks of the present group aside. */
  saveGroup(): GroupMarks {
    const domains = this.group.slice(0, this.groupCount);
    return { domains, bits: Uint8Array.from(domains, (domain) => (this.bits[domain] ?? 0) & GROUP_BITS) };
  }

  /** Forgets the marks of the present group. */
  clearGroup(): void {
    for (let i = 0; i < this.groupCount; i++) this.unset(this.group[i] ?? 0, GROUP_BITS | IN_GROUP);
    this.groupCount = 0;
  }

  /** Goes on with a group that was put aside; the present one must have been cleared. */
  loadGroup({ domains, bits }: GroupMarks): void {
    for (let i = 0; i < domains.length; i++) this.set(domains[i] ?? 0, (bits[i] ?? 0) & GROUP_BITS);
  }
}

/** Counts at a parent that a child gained its first or lost its last bit of a set. */
function add(counts: Int32Array, parent: number, before: number, next: number, bits: number): void {
  const had = (before & bits) !== 0;
  const has = (next & bits) !== 0;
  if (had !== has) counts[parent] = (counts[parent] ?? 0) + (has ? 1 : -1);
}
