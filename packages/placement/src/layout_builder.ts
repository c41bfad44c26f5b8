import { DaosError, type PoolTarget } from '@daos/common';

import { LayoutKey } from './layout_key.js';
import { Verdict, type MapView } from './map_view.js';
import type { ShardPlace } from './object_layout.js';
import { GroupMarks, TargetPicker } from './target_picker.js';

/** What decides the layout of one object. */
export interface LayoutRequest {
  readonly oidHi: bigint;
  readonly oidLo: bigint;
  readonly groupCount: number;
  readonly groupSize: number;
  /** Domain positions where the shards start their search, taken in turn; empty: the root. */
  readonly perfDomains: Int32Array;
  /** Consecutive shards that share a start. */
  readonly shardsPerPerfDomain: number;
  /** Target that the first shard is bound to, as a position; -1: none. */
  readonly firstTarget: number;
  /** Pool map version that the object's owner knew. */
  readonly objectVersion: number;
}

/** A shard whose target cannot hold it, waiting for a spare. */
interface Remap {
  readonly shard: number;
  readonly group: GroupMarks;
  failSeq: number;
  verdict: number;
}

/** A shard while the layout is made. */
interface Slot {
  shard: number;
  target: PoolTarget | undefined;
  failSeq: number;
  verdict: number;
}

export interface BuiltLayout {
  readonly slots: readonly Slot[];
  readonly peers: number;
}

/**
 * Computes layouts over one view of the pool map: first a target for every shard by the object's key, then, in order
 * of failure, a spare for every shard whose target is gone. The order makes the result independent of when anybody
 * looks. Reusable, not re-entrant.
 */
export class LayoutBuilder {
  private readonly picker: TargetPicker;
  private readonly objectKey = new LayoutKey();
  private readonly rebuildKey = new LayoutKey();
  private readonly sharedMarks: GroupMarks;
  private readonly halves = new Int32Array(4);
  private readonly words = new BigUint64Array(this.halves.buffer);

  constructor(
    readonly view: MapView,
    readonly layoutVersion: number,
  ) {
    this.picker = new TargetPicker(view, layoutVersion);
    this.sharedMarks = new GroupMarks(view.map.domains.length);
  }

  build(request: LayoutRequest): BuiltLayout {
    this.setKeys(request);
    this.picker.begin();
    const slots: Slot[] = [];
    const remaps: Remap[] = [];
    for (let group = 0; group < request.groupCount; group++) {
      const marks = this.groupMarks();
      for (let i = 0; i < request.groupSize; i++) this.placeShard(request, slots, marks, remaps);
    }
    if (remaps.length > 0) this.assignSpares(request, slots, remaps);
    let peers = 0;
    if (this.view.hasChanges) for (const slot of slots) if (slot.verdict & Verdict.HAS_PEER) peers++;
    return { slots, peers };
  }

  private setKeys(request: LayoutRequest): void {
    this.words[0] = request.oidHi;
    this.words[1] = request.oidLo;
    const [hiLo = 0, hiHi = 0, loLo = 0, loHi = 0] = this.halves;
    this.objectKey.ofObject(hiHi, hiLo, loHi, loLo, this.layoutVersion);
    this.rebuildKey.ofRebuild(hiHi, hiLo, loHi, loLo);
  }

  /** Spares need a group's marks later; without failures one set serves all groups. */
  private groupMarks(): GroupMarks {
    if (this.view.hasChanges) return new GroupMarks(this.view.map.domains.length);
    this.sharedMarks.clear();
    return this.sharedMarks;
  }

  private placeShard(request: LayoutRequest, slots: Slot[], group: GroupMarks, remaps: Remap[]): void {
    const { picker, view } = this;
    const shard = slots.length;
    let position: number;
    if (shard === 0 && request.firstTarget >= 0) {
      position = request.firstTarget;
      picker.take(position, group);
    } else {
      position = picker.pick(this.startOf(request, shard), this.objectKey, shard, request.groupSize, group);
    }
    const target = this.targetAt(position);
    const verdict = view.hasChanges ? view.verdict(target) : 0;
    slots.push({ shard, target, failSeq: target.failSeq, verdict: verdict & Verdict.REMAP ? 0 : verdict });
    if (verdict & Verdict.REMAP) remaps.push({ shard, group, failSeq: target.failSeq, verdict });
    else group.real[view.faultDomain[position] ?? 0] = 1;
  }

  private startOf(request: LayoutRequest, shard: number): number {
    const { perfDomains, shardsPerPerfDomain } = request;
    if (perfDomains.length === 0) return 0;
    return perfDomains[Math.trunc(shard / shardsPerPerfDomain) % perfDomains.length] ?? 0;
  }

  private targetAt(position: number): PoolTarget {
    const target = this.view.map.targets[position];
    if (!target) throw new DaosError('INVAL', `no target at position ${position}`);
    return target;
  }

  /** Earliest failure first; a spare that failed later hands its entry on to the order of that failure. */
  private assignSpares(request: LayoutRequest, slots: Slot[], remaps: Remap[]): void {
    const inOrder = (a: Remap, b: Remap): number => a.failSeq - b.failSeq || a.shard - b.shard;
    remaps.sort(inOrder);
    for (let entry = remaps[0]; entry; entry = remaps[0]) {
      const position = this.pickSpare(request, entry);
      const spare = this.targetAt(position);
      const verdict = this.view.verdict(spare);
      entry.verdict |= verdict & ~Verdict.REMAP;
      const slot = slots[entry.shard];
      if (!slot) throw new DaosError('INVAL', `no shard ${entry.shard}`);
      if ((verdict & Verdict.REMAP) === 0) {
        slot.target = spare;
        slot.failSeq = entry.failSeq;
        slot.verdict = entry.verdict & ~Verdict.REMAP;
      } else if (spare.failSeq > request.objectVersion) {
        slot.shard = -1;
        slot.target = undefined;
      } else if (spare.failSeq <= entry.failSeq) {
        continue;
      } else {
        entry.failSeq = spare.failSeq;
        remaps.sort(inOrder);
        continue;
      }
      entry.group.real[this.view.faultDomain[position] ?? 0] = 1;
      remaps.shift();
    }
  }

  private pickSpare(request: LayoutRequest, entry: Remap): number {
    const start = this.startOf(request, entry.shard);
    if (this.layoutVersion >= 2) {
      return this.picker.pick(start, this.rebuildKey, entry.shard, request.groupSize, entry.group);
    }
    const key = new LayoutKey();
    key.seedWith(this.objectKey, entry.shard);
    key.seedWith(this.objectKey, key.lo);
    return this.picker.pick(start, key, entry.shard, request.groupSize, entry.group);
  }
}

const EMPTY: ShardPlace = {
  shard: -1,
  rank: -1,
  target: -1,
  targetId: -1,
  failSeq: 0,
  rebuilding: false,
  reintegrating: false,
};

/** An empty slot of an extended group. */
export function emptyPlace(): ShardPlace {
  return EMPTY;
}

export function placeOf(slot: Slot): ShardPlace {
  const { shard, target, failSeq, verdict } = slot;
  return {
    shard,
    rank: target?.rank ?? -1,
    target: target?.index ?? -1,
    targetId: target?.id ?? -1,
    failSeq,
    rebuilding: (verdict & Verdict.REBUILDING) !== 0,
    reintegrating: (verdict & Verdict.REINTEGRATING) !== 0,
  };
}
