import { ComponentFlag, ComponentStatus, ComponentType, type ObjectId, type PoolComponent, type PoolDomain, type PoolMap, type PoolTarget } from '@daos/common';

import { LayoutMode } from '../src/index.js';

/**
 * The rules of the jump map written down as plainly as possible, for comparison: sets and scans instead of counters,
 * BigInt arithmetic, layout version 2, no special ranks.
 */
export interface PlainRequest {
  readonly oid: ObjectId;
  readonly groupCount: number;
  readonly groupSize: number;
  readonly faultLevel: number;
  readonly mode: LayoutMode;
  readonly version: number;
  readonly pda: number;
}

export interface PlainShard {
  readonly targetId: number;
  readonly failSeq: number;
  readonly rebuilding: boolean;
  readonly reintegrating: boolean;
}

const U64 = (1n << 64n) - 1n;
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  return crc;
});

function mix(...numbers: readonly [bigint, bigint, bigint]): bigint {
  let state = ~0xbabecafen & U64;
  for (const number of numbers) {
    for (let byte = 0n; byte < 64n; byte += 8n) {
      state = (TABLE[Number((state ^ (number >> byte)) & 0xffn)] ?? 0n) ^ (state >> 8n);
    }
  }
  return ~state & U64;
}

function jump(start: bigint, buckets: number): number {
  let key = start;
  let [last, next] = [-1, 0];
  while (next < buckets) {
    last = next;
    key = (key * 2862933555777941757n + 1n) & U64;
    next = Math.trunc((last + 1) * (2147483648 / (Number(key >> 33n) + 1)));
  }
  return last;
}

interface Verdict { remap: boolean; rebuilding: boolean; reintegrating: boolean }
interface Group { tried: Set<number>; real: Set<number> }
interface Entry { shard: number; group: Group; failSeq: number; rebuilding: boolean; reintegrating: boolean }

export function plainLayout(map: PoolMap, request: PlainRequest): PlainShard[] {
  return new PlainLayout(map, request).compute();
}

class PlainLayout {
  private readonly used = new Set<number>();
  private readonly full = new Set<number>();
  private readonly taken = new Set<number>();

  constructor(
    private readonly map: PoolMap,
    private readonly request: PlainRequest,
  ) {}

  compute(): PlainShard[] {
    const { oid, groupCount, groupSize } = this.request;
    const objectKey = mix(oid.hi, oid.lo, 0xbabefacen);
    const rebuildKey = mix(oid.lo, oid.hi, 0xdead2badn);
    const starts = this.starts(objectKey);
    const shards: PlainShard[] = [];
    let waiting: Entry[] = [];
    for (let i = 0; i < groupCount; i++) {
      const group: Group = { tried: new Set(), real: new Set() };
      for (let j = 0; j < groupSize; j++) {
        const shard = i * groupSize + j;
        const { target, domain } = this.pick(starts(shard), objectKey, shard, group);
        const { remap, ...flags } = this.verdict(target);
        shards.push({ targetId: target.id, failSeq: target.failSeq, ...(remap ? { rebuilding: false, reintegrating: false } : flags) });
        if (remap) waiting.push({ shard, group, failSeq: target.failSeq, ...flags });
        else group.real.add(domain.position);
      }
    }
    if (this.map.targets.every((target) => this.verdict(target).remap || !this.exists(target))) {
      for (const { shard } of waiting) shards[shard] = { ...(shards[shard] as PlainShard), targetId: -1 };
      return shards;
    }
    while (waiting.length > 0) {
      waiting.sort((a, b) => a.failSeq - b.failSeq || a.shard - b.shard);
      const entry = waiting[0] as Entry;
      const { target, domain } = this.pick(starts(entry.shard), rebuildKey, entry.shard, entry.group);
      const { remap, ...flags } = this.verdict(target);
      entry.rebuilding ||= flags.rebuilding;
      entry.reintegrating ||= flags.reintegrating;
      const { failSeq, rebuilding, reintegrating } = entry;
      if (remap && target.failSeq <= this.request.version) {
        if (target.failSeq > failSeq) entry.failSeq = target.failSeq;
        continue;
      }
      const old = shards[entry.shard] as PlainShard;
      shards[entry.shard] = remap ? { ...old, targetId: -1 } : { targetId: target.id, failSeq, rebuilding, reintegrating };
      entry.group.real.add(domain.position);
      waiting = waiting.slice(1);
    }
    return shards;
  }

  private starts(objectKey: bigint): (shard: number) => PoolDomain {
    const { pda, groupSize, groupCount, faultLevel } = this.request;
    const layer = this.map.domainsOf(ComponentType.PERF);
    if (pda === 0 || layer.length === 0) return () => this.map.root;
    const perDomain = Math.floor(this.map.domainsOf(faultLevel).length / layer.length);
    const together = groupSize === 1 ? Math.min(pda, layer[0]?.targetCount ?? 1) : Math.min(pda === 0xffffffff ? groupSize : pda, perDomain);
    const count = Math.min(Math.ceil((groupSize * groupCount) / together), layer.length);
    const list: number[] = [];
    for (let i = 0, key = objectKey; i < count; i++) {
      key = mix(key, BigInt(i), 0xcafebaben);
      let at = jump(key, layer.length);
      while (list.includes(at)) at = (at + 1) % layer.length;
      list.push(at);
    }
    return (shard) => layer[list[Math.floor(shard / together) % count] ?? 0] as PoolDomain;
  }

  private exists(component: PoolComponent): boolean {
    const { status, failSeq, inOutVersion } = component;
    if (status === ComponentStatus.NEW) return false;
    const extended = status === ComponentStatus.UP && failSeq <= 1;
    return !extended || (this.request.mode === LayoutMode.POST && inOutVersion <= this.request.version);
  }

  private verdict({ status, failSeq, inOutVersion, flags }: PoolTarget): Verdict {
    const { mode, version } = this.request;
    const answer = (remap: boolean, rebuilding = false, reintegrating = false): Verdict => ({ remap, rebuilding, reintegrating });
    const pre = mode === LayoutMode.PRE;
    const later = !pre && failSeq > version;
    switch (status) {
      case ComponentStatus.UPIN: return answer(false);
      case ComponentStatus.DOWN: return later ? answer(false) : answer(!pre, true);
      case ComponentStatus.DRAIN: return answer(!later && mode === LayoutMode.POST);
      case ComponentStatus.UP:
        if (!pre && inOutVersion > version) return answer(true);
        if (flags & ComponentFlag.DOWN2UP) return answer(false, true, true);
        return answer(mode !== LayoutMode.POST);
      default: return answer(true);
    }
  }

  private isLeaf(domain: PoolDomain): boolean {
    return domain.type === this.request.faultLevel;
  }

  private children(domain: PoolDomain): readonly PoolDomain[] {
    return this.map.domains.slice(domain.childStart, domain.childStart + domain.childCount);
  }

  /** All but the last ones that do not exist, at least one. */
  private offered<T extends PoolComponent>(children: readonly T[]): readonly T[] {
    let end = children.length;
    while (end > 1 && !this.exists(children[end - 1] as T)) end--;
    return children.slice(0, end);
  }

  private allTaken(domain: PoolDomain): boolean {
    return this.map.targetsOf(domain).every((target) => this.taken.has(target.position) || !this.exists(target));
  }

  private pick(start: PoolDomain, key: bigint, shard: number, group: Group): { target: PoolTarget; domain: PoolDomain } {
    for (;;) {
      const found = this.walk(start, key, shard, group);
      if (typeof found === 'object') return found;
      this.relax(found === 'widened' ? this.map.root : start, group);
    }
  }

  private walk(start: PoolDomain, firstKey: bigint, shard: number, group: Group): { target: PoolTarget; domain: PoolDomain } | 'none' | 'widened' {
    const { root } = this.map;
    let [from, domain, key] = [start, start, firstKey];
    const stack: PoolDomain[] = [];
    for (;;) {
      if (this.isLeaf(domain)) {
        if (!this.allTaken(domain)) return { target: this.takeTarget(domain, key, shard, stack), domain };
        domain = stack.pop() as PoolDomain;
        continue;
      }
      const children = this.children(domain);
      const every = (rule: (position: number) => boolean): boolean => children.every((child) => !this.exists(child) || rule(child.position));
      const allFull = every((position) => this.full.has(position));
      if (allFull || every((position) => this.full.has(position) || group.tried.has(position))) {
        const parent = stack.pop();
        if (parent) {
          if (allFull) this.full.add(domain.position);
          group.tried.add(domain.position);
          domain = parent;
        } else if (from !== root && (allFull || this.request.groupSize > 1)) from = domain = root;
        else return from === start ? 'none' : 'widened';
        continue;
      }
      if (every((position) => this.used.has(position) || group.tried.has(position))) {
        for (const child of children) if (!this.full.has(child.position)) this.used.delete(child.position);
        domain = stack.pop() ?? from;
        continue;
      }
      const offered = this.offered(children);
      let child: PoolDomain;
      let failures = 0n;
      do child = offered[jump(mix(key, BigInt(shard), failures++), offered.length)] as PoolDomain;
      while (this.used.has(child.position) || group.tried.has(child.position));
      if (domain === from && from !== root) this.used.add(domain.position);
      this.used.add(child.position);
      group.tried.add(child.position);
      stack.push(domain);
      domain = child;
      key = mix(key, BigInt(child.id), 0xbabecafen);
    }
  }

  private takeTarget(domain: PoolDomain, key: bigint, shard: number, ancestors: readonly PoolDomain[]): PoolTarget {
    const targets = this.offered(this.map.targetsOf(domain));
    let index = jump(mix(key, BigInt(shard), 0n), targets.length);
    while (this.taken.has(targets[index]?.position ?? -1)) index = (index + 1) % targets.length;
    const target = targets[index] as PoolTarget;
    this.taken.add(target.position);
    if (this.allTaken(domain)) {
      this.full.add(domain.position);
      for (const ancestor of [...ancestors].reverse()) {
        const done = this.children(ancestor).every((child) => this.full.has(child.position) || !this.exists(child));
        if (done) this.full.add(ancestor.position);
      }
    }
    return target;
  }

  private relax(start: PoolDomain, group: Group): void {
    let layer: readonly PoolDomain[] = [start];
    while (layer[0] && !this.isLeaf(layer[0])) {
      for (const { position } of layer) {
        group.tried.delete(position);
        this.full.delete(position);
      }
      layer = layer.flatMap((domain) => this.children(domain));
    }
    const domains = layer.filter((domain) => this.exists(domain));
    const untake = (domain: PoolDomain): void => {
      for (const target of this.map.targetsOf(domain)) this.taken.delete(target.position);
    };
    if (domains.some(({ position }) => !this.full.has(position) && !group.tried.has(position))) return;
    const untried = domains.filter(({ position }) => !group.tried.has(position));
    for (const domain of untried) {
      this.full.delete(domain.position);
      if (this.map.targetsOf(domain).every((target) => this.taken.has(target.position))) untake(domain);
    }
    if (untried.length > 0) return;
    const unreal = domains.filter(({ position }) => !group.real.has(position));
    const withFree = unreal.filter((domain) => !this.allTaken(domain));
    for (const { position } of withFree) group.tried.delete(position);
    if (withFree.length > 0) return;
    const usable = unreal.filter((domain) => this.map.targetsOf(domain).some((target) => !this.verdict(target).remap));
    const allFull = domains.every(({ position }) => this.full.has(position));
    for (const domain of usable.length > 0 ? usable : domains) {
      if (usable.length > 0 || allFull) {
        this.full.delete(domain.position);
        untake(domain);
      }
      group.tried.delete(domain.position);
    }
  }
}
