import { assert } from '@daos/gurt';

import { CollisionKey, LayoutKey } from './layout_key.js';
import { Verdict, type MapView } from './map_view.js';
import { Mark, type ObjectMarks } from './object_marks.js';

const ROOT = 0;
/** Domains between root and targets are at most this deep. */
const DEPTH_MAX = 8;
/** Steps after which a walk cannot be sane any more: it visits each domain a few times at most. */
const STEPS_PER_DOMAIN_MAX = 64;
/** Each relaxation frees domains or targets, and there are five ways to. */
const RELAXATIONS_MAX = 8;

const DESCEND_SALT = 0xbabecafe;
const NONE = -1;
/** As NONE, after the search had been widened to the whole pool. */
const NONE_RELAXED = -2;

/**
 * Chooses targets for the shards of one object at a time: a walk down the tree by consistent hashing that avoids
 * domains and targets already taken.
 */
export class TargetPicker {
  private readonly key = new LayoutKey();
  private readonly collisions = new CollisionKey();
  private readonly collisionKey = new LayoutKey();
  private readonly stack = new Int32Array(DEPTH_MAX);

  constructor(
    private readonly view: MapView,
    private readonly marks: ObjectMarks,
    private readonly layoutVersion: number,
  ) {}

  /** Books a target that the object id itself names. */
  take(target: number): void {
    const { map, parent } = this.view;
    this.marks.take(target);
    const rank = map.targets[target]?.parent ?? ROOT;
    for (let domain = rank; domain > ROOT; domain = parent[domain] ?? ROOT) this.marks.set(domain, Mark.USED);
    this.marks.set(parent[rank] ?? ROOT, Mark.TRIED);
  }

  /**
   * Position of the target for shard `shard`, searched from domain `start`; always finds one, at the price of sharing
   * domains and at last targets when the map has too few.
   */
  pick(start: number, objectKey: LayoutKey, shard: number, groupSize: number): number {
    for (let relaxations = 0; ; relaxations++) {
      assert(relaxations < RELAXATIONS_MAX, 'relaxing the rules must free a target');
      const target = this.walk(start, objectKey, shard, groupSize);
      if (target >= 0) return target;
      this.relax(target === NONE_RELAXED ? ROOT : start);
    }
  }

  private walk(start: number, objectKey: LayoutKey, shard: number, groupSize: number): number {
    const { marks, stack, key } = this;
    const { atFaultLevel } = this.view;
    let from = start;
    let depth = 0;
    let domain = from;
    if (this.layoutVersion >= 2) key.copy(objectKey);
    else key.seedWith(objectKey, shard);
    const stepsMax = STEPS_PER_DOMAIN_MAX * marks.bits.length + 1000;
    for (let step = 0; step < stepsMax; step++) {
      if (atFaultLevel[domain] === 1) {
        if (!marks.allTaken(domain)) return this.takeTarget(domain, shard, depth);
        assert(depth > 0, 'a fault domain is never the start of a walk');
        domain = stack[--depth] ?? ROOT;
        continue;
      }
      const full = marks.allFull(domain);
      if (full || marks.allClosed(domain)) {
        if (depth > 0) {
          marks.set(domain, full ? Mark.FULL | Mark.TRIED : Mark.TRIED);
          domain = stack[--depth] ?? ROOT;
        } else if (from !== ROOT && (full || groupSize > 1)) {
          from = domain = ROOT;
        } else {
          return from === start ? NONE : NONE_RELAXED;
        }
        continue;
      }
      if (marks.allSpent(domain)) {
        this.beginRound(domain);
        domain = depth > 0 ? (stack[--depth] ?? ROOT) : from;
        continue;
      }
      const child = this.freeChild(domain, shard);
      if (domain === from && from !== ROOT) marks.set(domain, Mark.USED);
      marks.set(child, Mark.USED | Mark.TRIED);
      stack[depth++] = domain;
      domain = child;
      this.descendInto(child);
    }
    throw new Error('the search for a target does not end');
  }

  /** Every child had its turn: those with room may be used again. */
  private beginRound(domain: number): void {
    const { childStart, childEnd } = this.view;
    const end = childEnd[domain] ?? 0;
    for (let child = childStart[domain] ?? 0; child < end; child++) {
      if (!this.marks.has(child, Mark.FULL)) this.marks.unset(child, Mark.USED);
    }
  }

  private descendInto(child: number): void {
    const id = this.view.domainId[child] ?? 0;
    if (this.layoutVersion >= 2) this.key.mixWith(this.key, id, DESCEND_SALT);
    else this.key.seedWith(this.key, id);
  }

  /** Hashes until a child is found that is neither used nor tried; the caller knows that there is one. */
  private freeChild(domain: number, shard: number): number {
    const { key, collisions, collisionKey } = this;
    const { bits } = this.marks;
    const first = this.view.childStart[domain] ?? 0;
    const count = this.view.childCount[domain] ?? 1;
    const taken = Mark.USED | Mark.TRIED;
    if (this.layoutVersion >= 2) {
      collisions.begin(key, shard);
      for (let failures = 0; ; failures++) {
        const child = first + collisions.jump(failures, count);
        if (((bits[child] ?? 0) & taken) === 0) return child;
      }
    }
    collisionKey.copy(key);
    for (let failures = 0; ; failures++) {
      const child = first + collisionKey.jump(count);
      if (((bits[child] ?? 0) & taken) === 0) return child;
      collisionKey.seedWith(collisionKey, failures);
    }
  }

  private takeTarget(domain: number, shard: number, depth: number): number {
    const { key, stack, marks } = this;
    const first = this.view.childStart[domain] ?? 0;
    const count = this.view.childCount[domain] ?? 1;
    if (this.layoutVersion >= 2) key.mixWith(key, shard, 0);
    else key.seedWith(key, 0);
    let index = key.jump(count);
    while (marks.taken[first + index] === 1) index = (index + 1) % count;
    marks.take(first + index);
    if (marks.allTaken(domain)) {
      marks.set(domain, Mark.FULL);
      for (let level = depth - 1; level >= 0; level--) {
        const ancestor = stack[level] ?? ROOT;
        if (marks.allFull(ancestor)) marks.set(ancestor, Mark.FULL);
      }
    }
    return first + index;
  }

  /** Nothing was found: weakens the rules, the cheapest first, until a walk from `start` can find a target. */
  private relax(start: number): void {
    const { atFaultLevel, childStart, childEnd } = this.view;
    let first = start;
    let end = start + 1;
    while (atFaultLevel[first] !== 1) {
      for (let domain = first; domain < end; domain++) this.marks.unset(domain, Mark.TRIED | Mark.FULL);
      end = childEnd[end - 1] ?? 0;
      first = childStart[first] ?? 0;
    }
    this.relaxFaultDomains(first, end);
  }

  private relaxFaultDomains(first: number, end: number): void {
    const { marks, view } = this;
    const domains: number[] = [];
    for (let domain = first; domain < end; domain++) if (view.domainSkipped[domain] === 0) domains.push(domain);
    if (domains.some((domain) => !marks.has(domain, Mark.FULL | Mark.TRIED))) return;
    const untried = domains.filter((domain) => !marks.has(domain, Mark.TRIED));
    if (untried.length > 0) {
      for (const domain of untried) {
        marks.unset(domain, Mark.FULL);
        if (this.everyTargetTaken(domain)) marks.untakeAll(domain);
      }
      return;
    }
    const unreal = domains.filter((domain) => !marks.has(domain, Mark.REAL));
    const withFree = unreal.filter((domain) => !marks.allTaken(domain));
    if (withFree.length > 0) {
      for (const domain of withFree) marks.unset(domain, Mark.TRIED);
      return;
    }
    const withUsable = unreal.filter((domain) => this.hasUsableTarget(domain));
    if (withUsable.length > 0) {
      for (const domain of withUsable) {
        marks.unset(domain, Mark.FULL | Mark.TRIED);
        marks.untakeAll(domain);
      }
      return;
    }
    const allFull = domains.every((domain) => marks.has(domain, Mark.FULL));
    for (const domain of domains) {
      if (allFull) {
        marks.unset(domain, Mark.FULL);
        marks.untakeAll(domain);
      }
      marks.unset(domain, Mark.TRIED);
    }
  }

  /** As `allTaken`, but targets that do not exist for the view count as free. */
  private everyTargetTaken(domain: number): boolean {
    const end = this.view.childEnd[domain] ?? 0;
    for (let target = this.view.childStart[domain] ?? 0; target < end; target++) {
      if (this.marks.taken[target] === 0) return false;
    }
    return true;
  }

  private hasUsableTarget(domain: number): boolean {
    const end = this.view.childEnd[domain] ?? 0;
    for (let target = this.view.childStart[domain] ?? 0; target < end; target++) {
      if (((this.view.verdicts[target] ?? 0) & Verdict.REMAP) === 0) return true;
    }
    return false;
  }
}
