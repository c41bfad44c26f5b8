import { assert } from '@daos/gurt';

import { LayoutKey } from './layout_key.js';
import { Verdict, type MapView } from './map_view.js';

/** Marks of one redundancy group, by domain position. */
export class GroupMarks {
  /** Tried or used by the group. */
  readonly tried: Uint8Array;
  /** Really hold a usable shard of the group. */
  readonly real: Uint8Array;

  constructor(domainCount: number) {
    this.tried = new Uint8Array(domainCount);
    this.real = new Uint8Array(domainCount);
  }

  clear(): void {
    this.tried.fill(0);
    this.real.fill(0);
  }
}

const ROOT = 0;
/** Domains between root and targets are at most this deep. */
const DEPTH_MAX = 8;
/** Steps after which a walk cannot be sane any more: it visits each domain a few times at most. */
const STEPS_PER_DOMAIN_MAX = 64;

/**
 * Chooses targets for the shards of one object at a time: a walk down the tree by consistent hashing that avoids
 * domains and targets already taken. Marks of domains and targets live as long as one object's computation.
 */
export class TargetPicker {
  /** Domains used in this round. */
  private readonly used: Uint8Array;
  /** Domains all of whose targets are taken. */
  private readonly full: Uint8Array;
  private readonly taken: Uint8Array;
  private readonly key = new LayoutKey();
  private readonly collisionKey = new LayoutKey();
  private readonly stack = new Int32Array(DEPTH_MAX);
  /** Set by `pick`: the fault-level domain of the target. */
  domain = 0;

  constructor(
    readonly view: MapView,
    private readonly layoutVersion: number,
  ) {
    this.used = new Uint8Array(view.map.domains.length);
    this.full = new Uint8Array(view.map.domains.length);
    this.taken = new Uint8Array(view.map.targets.length);
  }

  /** Forgets all marks: a new object begins. */
  begin(): void {
    this.used.fill(0);
    this.full.fill(0);
    this.taken.fill(0);
  }

  /** Books a target that the object id itself names. */
  take(target: number, group: GroupMarks): void {
    const { map, parent } = this.view;
    this.taken[target] = 1;
    const rank = map.targets[target]?.parent ?? ROOT;
    for (let domain = rank; domain > ROOT; domain = parent[domain] ?? ROOT) this.used[domain] = 1;
    group.tried[parent[rank] ?? ROOT] = 1;
  }

  /**
   * Position of the target for shard `shard`, searched from domain `start`; always finds one, at the price of sharing
   * domains and at last targets when the map has too few.
   */
  pick(start: number, objectKey: LayoutKey, shard: number, groupSize: number, group: GroupMarks): number {
    for (let round = 0; ; round++) {
      assert(round < 8, 'relaxing the rules must free a target');
      const target = this.walk(start, objectKey, shard, groupSize, group);
      if (target >= 0) return target;
      this.relax(target === NONE_RELAXED ? ROOT : start, group);
    }
  }

  private walk(start: number, objectKey: LayoutKey, shard: number, groupSize: number, group: GroupMarks): number {
    const { childCount, childStart, atFaultLevel, domainId } = this.view;
    const { used, full, stack, key } = this;
    const { tried } = group;
    const modern = this.layoutVersion >= 2;
    let from = start;
    let relaxed = false;
    let depth = 0;
    let domain = from;
    if (modern) key.copy(objectKey);
    else key.seedWith(objectKey, shard);
    const stepsMax = STEPS_PER_DOMAIN_MAX * used.length + 1000;
    for (let step = 0; step < stepsMax; step++) {
      const count = childCount[domain] ?? 0;
      const first = childStart[domain] ?? 0;
      if (atFaultLevel[domain] === 1) {
        if (this.allTaken(first, count)) {
          assert(depth > 0, 'a fault domain is never the start of a walk');
          domain = stack[--depth] ?? ROOT;
          continue;
        }
        return this.takeTarget(domain, first, count, shard, depth);
      }
      const state = this.childrenState(first, count, tried);
      if (state === ALL_FULL || state === ALL_TRIED) {
        if (depth > 0) {
          if (state === ALL_FULL) full[domain] = 1;
          tried[domain] = 1;
          domain = stack[--depth] ?? ROOT;
        } else if (from !== ROOT && (state === ALL_FULL || groupSize > 1)) {
          from = domain = ROOT;
          relaxed = true;
        } else {
          return relaxed ? NONE_RELAXED : NONE;
        }
        continue;
      }
      if (state === ALL_USED) {
        for (let child = first; child < first + count; child++) if (full[child] === 0) used[child] = 0;
        domain = depth > 0 ? (stack[--depth] ?? ROOT) : from;
        continue;
      }
      const child = first + this.freeChild(first, count, shard, tried);
      if (domain === from && from !== ROOT) used[domain] = 1;
      used[child] = 1;
      tried[child] = 1;
      stack[depth++] = domain;
      domain = child;
      const id = domainId[child] ?? 0;
      if (modern) key.mixWith(key, id, 0xbabecafe);
      else key.seedWith(key, id);
    }
    throw new Error('the search for a target does not end');
  }

  /** Hashes until a child is found that is neither used nor tried; the caller knows that there is one. */
  private freeChild(first: number, count: number, shard: number, tried: Uint8Array): number {
    const { used, key, collisionKey } = this;
    if (this.layoutVersion >= 2) {
      for (let failures = 0; ; failures++) {
        collisionKey.mixWith(key, shard, failures);
        const child = collisionKey.jump(count);
        if (used[first + child] === 0 && tried[first + child] === 0) return child;
      }
    }
    collisionKey.copy(key);
    for (let failures = 0; ; failures++) {
      const child = collisionKey.jump(count);
      if (used[first + child] === 0 && tried[first + child] === 0) return child;
      collisionKey.seedWith(collisionKey, failures);
    }
  }

  private takeTarget(domain: number, first: number, count: number, shard: number, depth: number): number {
    const { taken, key, stack, full } = this;
    if (this.layoutVersion >= 2) key.mixWith(key, shard, 0);
    else key.seedWith(key, 0);
    let index = key.jump(count);
    while (taken[first + index] === 1) index = (index + 1) % count;
    const target = first + index;
    taken[target] = 1;
    this.domain = domain;
    if (this.allTaken(first, count)) {
      full[domain] = 1;
      for (let level = depth - 1; level >= 0; level--) {
        const ancestor = stack[level] ?? ROOT;
        if (!this.allFull(ancestor)) break;
        full[ancestor] = 1;
      }
    }
    return target;
  }

  private allTaken(first: number, count: number): boolean {
    const { taken } = this;
    const { targetSkipped } = this.view;
    for (let target = first; target < first + count; target++) {
      if (taken[target] === 0 && targetSkipped[target] === 0) return false;
    }
    return true;
  }

  private allFull(domain: number): boolean {
    const { childStart, childCount, domainSkipped } = this.view;
    const first = childStart[domain] ?? 0;
    const end = first + (childCount[domain] ?? 0);
    for (let child = first; child < end; child++) {
      if (this.full[child] === 0 && domainSkipped[child] === 0) return false;
    }
    return true;
  }

  /** Which reason not to descend holds for all children, in order of precedence. */
  private childrenState(first: number, count: number, tried: Uint8Array): number {
    const { used, full } = this;
    const { domainSkipped } = this.view;
    let allFull = true;
    let allTried = true;
    let allUsed = true;
    for (let child = first; child < first + count; child++) {
      if (domainSkipped[child] === 1) continue;
      const isTried = tried[child] === 1;
      if (full[child] === 0) {
        allFull = false;
        if (!isTried) allTried = false;
      }
      if (!isTried && used[child] === 0) allUsed = false;
      if (!allTried && !allUsed) return SOME_FREE;
    }
    if (allFull) return ALL_FULL;
    if (allTried) return ALL_TRIED;
    return allUsed ? ALL_USED : SOME_FREE;
  }

  /** Gives up rules, one at a time, so that the next walk below `start` can find a target. */
  private relax(start: number, group: GroupMarks): void {
    const { view, full } = this;
    const { tried } = group;
    let first = start;
    let end = start + 1;
    while (view.atFaultLevel[first] !== 1) {
      for (let domain = first; domain < end; domain++) {
        tried[domain] = 0;
        full[domain] = 0;
      }
      const last = end - 1;
      end = (view.childStart[last] ?? 0) + (view.map.domains[last]?.childCount ?? 0);
      first = view.childStart[first] ?? 0;
    }
    this.relaxFaultDomains(first, end, group);
  }

  private relaxFaultDomains(first: number, end: number, group: GroupMarks): void {
    const { full } = this;
    const { tried, real } = group;
    const domains: number[] = [];
    for (let domain = first; domain < end; domain++) if (this.view.domainSkipped[domain] === 0) domains.push(domain);
    if (domains.some((domain) => full[domain] === 0 && tried[domain] === 0)) return;
    const untried = domains.filter((domain) => tried[domain] === 0);
    if (untried.length > 0) {
      for (const domain of untried) {
        full[domain] = 0;
        if (this.everyTargetTaken(domain)) this.untake(domain);
      }
      return;
    }
    const unreal = domains.filter((domain) => real[domain] === 0);
    const withFree = unreal.filter((domain) => !this.allTaken(...this.targetRange(domain)));
    if (withFree.length > 0) {
      for (const domain of withFree) tried[domain] = 0;
      return;
    }
    const withUsable = unreal.filter((domain) => this.hasUsableTarget(domain));
    if (withUsable.length > 0) {
      for (const domain of withUsable) {
        full[domain] = 0;
        this.untake(domain);
        tried[domain] = 0;
      }
      return;
    }
    const allFull = domains.every((domain) => full[domain] === 1);
    for (const domain of domains) {
      if (allFull) {
        full[domain] = 0;
        this.untake(domain);
      }
      tried[domain] = 0;
    }
  }

  private targetRange(domain: number): [first: number, count: number] {
    return [this.view.childStart[domain] ?? 0, this.view.childCount[domain] ?? 0];
  }

  /** As `allTaken`, but targets that do not exist for the view count as free. */
  private everyTargetTaken(domain: number): boolean {
    const [first, count] = this.targetRange(domain);
    for (let target = first; target < first + count; target++) if (this.taken[target] === 0) return false;
    return true;
  }

  private untake(domain: number): void {
    const [first, count] = this.targetRange(domain);
    this.taken.fill(0, first, first + count);
  }

  private hasUsableTarget(domain: number): boolean {
    const [first, count] = this.targetRange(domain);
    const targets = this.view.map.targets.slice(first, first + count);
    return targets.some((target) => (this.view.verdict(target) & Verdict.REMAP) === 0);
  }
}

const NONE = -1;
/** As NONE, after the search had been widened to the whole pool. */
const NONE_RELAXED = -2;

const SOME_FREE = 0;
const ALL_FULL = 1;
const ALL_TRIED = 2;
const ALL_USED = 3;
