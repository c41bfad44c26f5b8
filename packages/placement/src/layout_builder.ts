import { ComponentStatus, type PoolTarget } from '@daos/common';
import { assert } from '@daos/gurt';

import { LayoutKey } from './layout_key.js';
import type { LayoutRequest } from './layout_request.js';
import { Verdict, type MapView } from './map_view.js';
import { Mark, ObjectMarks, type GroupMarks } from './object_marks.js';
import { TargetPicker } from './target_picker.js';

const { DOWN, DOWNOUT, DRAIN } = ComponentStatus;
/** A search for a spare that takes longer cannot be sane: each relaxation of the rules lets it see all targets again. */
const SEARCHES_PER_TARGET_MAX = 64;

/** A shard whose target cannot hold it, waiting for a spare. */
interface Remap {
  readonly shard: number;
  readonly group: RemapGroup;
  failSeq: number;
  /** Of the target that failed last. */
  status: number;
  verdict: number;
}

/** A group with such shards; its marks are put aside while others are worked on. */
interface RemapGroup {
  marks: GroupMarks | undefined;
}

/** Shards of a layout by shard number. The arrays belong to the builder and are valid until its next layout. */
export interface BuiltLayout {
  /** Shards computed: all, or those up to the end of the wanted group. */
  readonly count: number;
  /** Position of the target; -1: none. */
  readonly positions: Int32Array;
  readonly failSeqs: Uint32Array;
  /** `Verdict` bits. */
  readonly verdicts: Uint8Array;
  /** Shards with a second live location. */
  readonly peers: number;
}

/**
 * Computes layouts over one view of the pool map: first a target for every shard by the object's key, then, in order
 * of failure, a spare for every shard whose target is gone. The order makes the result independent of when anybody
 * looks. Reusable, not re-entrant.
 */
export class LayoutBuilder {
  private readonly marks: ObjectMarks;
  private readonly picker: TargetPicker;
  private readonly objectKey = new LayoutKey();
  private readonly rebuildKey = new LayoutKey();
  private readonly halves = new Int32Array(4);
  private readonly words = new BigUint64Array(this.halves.buffer);
  private positions = new Int32Array(64);
  private failSeqs = new Uint32Array(64);
  private verdicts = new Uint8Array(64);
  private loaded: RemapGroup | undefined;

  constructor(
    readonly view: MapView,
    readonly layoutVersion: number,
  ) {
    this.marks = new ObjectMarks(view);
    this.picker = new TargetPicker(view, this.marks, layoutVersion);
  }

  /**
   * The layout of an object. When `wantedGroup` is not negative, only that group need be right, and the work ends as
   * soon as it is; a spare depends on all other shards.
   */
  build(request: LayoutRequest, wantedGroup = -1): BuiltLayout {
    const { groupCount, groupSize } = request;
    this.reserve(groupCount * groupSize);
    this.setKeys(request);
    this.marks.clear();
    const remaps: Remap[] = [];
    let count = 0;
    for (let group = 0; group < groupCount; group++) {
      const waiting = remaps.length;
      this.placeGroup(request, group * groupSize, remaps);
      count += groupSize;
      if (group === wantedGroup && remaps.length === waiting) break;
    }
    const complete = count === groupCount * groupSize;
    if (remaps.length > 0 && (wantedGroup < 0 || complete)) this.assignSpares(request, remaps);
    const { positions, failSeqs, verdicts } = this;
    return { count, positions, failSeqs, verdicts, peers: this.peers(count) };
  }

  private reserve(shards: number): void {
    if (this.positions.length >= shards) return;
    this.positions = new Int32Array(shards);
    this.failSeqs = new Uint32Array(shards);
    this.verdicts = new Uint8Array(shards);
  }

  private setKeys(request: LayoutRequest): void {
    this.words[0] = request.oidHi;
    this.words[1] = request.oidLo;
    const [hiLo = 0, hiHi = 0, loLo = 0, loHi = 0] = this.halves;
    this.objectKey.ofObject(hiHi, hiLo, loHi, loLo, this.layoutVersion);
    if (this.view.hasChanges) this.rebuildKey.ofRebuild(hiHi, hiLo, loHi, loLo);
  }

  private peers(count: number): number {
    if (!this.view.hasChanges) return 0;
    let peers = 0;
    for (let shard = 0; shard < count; shard++) if ((this.verdicts[shard] ?? 0) & Verdict.HAS_PEER) peers++;
    return peers;
  }

  private placeGroup(request: LayoutRequest, first: number, remaps: Remap[]): void {
    let group: RemapGroup | undefined;
    for (let shard = first; shard < first + request.groupSize; shard++) {
      const position = this.placeShard(request, shard);
      const verdict = this.view.verdicts[position] ?? 0;
      if (verdict & Verdict.REMAP) {
        const { failSeq, status } = this.targetAt(position);
        group ??= { marks: undefined };
        remaps.push({ shard, group, failSeq, status, verdict });
      } else this.marks.set(this.view.faultDomain[position] ?? 0, Mark.REAL);
    }
    if (group) group.marks = this.marks.saveGroup();
    this.marks.clearGroup();
  }

  /** First choice for a shard, by the object's key alone. */
  private placeShard(request: LayoutRequest, shard: number): number {
    let position: number;
    if (shard === 0 && request.firstTarget >= 0) {
      position = request.firstTarget;
      this.picker.take(position);
    } else {
      position = this.picker.pick(startOf(request, shard), this.objectKey, shard, request.groupSize);
    }
    const verdict = this.view.verdicts[position] ?? 0;
    this.positions[shard] = position;
    this.failSeqs[shard] = this.targetAt(position).failSeq;
    this.verdicts[shard] = verdict & Verdict.REMAP ? 0 : verdict;
    return position;
  }

  private targetAt(position: number): PoolTarget {
    const target = this.view.map.targets[position];
    assert(target, `there is no target at position ${position}`);
    return target;
  }

  /** Earliest failure first; a spare that failed later hands its entry on to the order of that failure. */
  private assignSpares(request: LayoutRequest, remaps: Remap[]): void {
    if (!this.view.hasUsable) {
      for (const { shard } of remaps) this.positions[shard] = -1;
      return;
    }
    // The next one stands last, where taking it away costs nothing.
    remaps.sort(laterFirst);
    this.loaded = undefined;
    let searches = remaps.length * (SEARCHES_PER_TARGET_MAX * this.view.verdicts.length + SEARCHES_PER_TARGET_MAX);
    for (let entry = remaps.at(-1); entry; entry = remaps.at(-1)) {
      assert(searches-- > 0, 'the search for a spare ends');
      this.load(entry.group);
      const position = this.pickSpare(request, entry);
      const spare = this.targetAt(position);
      const verdict = this.view.verdicts[position] ?? 0;
      entry.verdict |= verdict & ~Verdict.REMAP;
      if ((verdict & Verdict.REMAP) === 0) {
        this.positions[entry.shard] = position;
        this.failSeqs[entry.shard] = entry.failSeq;
        this.verdicts[entry.shard] = entry.verdict & ~Verdict.REMAP;
      } else if (spare.failSeq > request.objectVersion) {
        // It failed after the version in question: a later rebuild takes care of the shard.
        this.positions[entry.shard] = -1;
      } else if (spare.failSeq <= entry.failSeq) {
        continue;
      } else {
        const unfinished = entry.status === DOWN || entry.status === DRAIN;
        assert(!unfinished || spare.status !== DOWNOUT,
          `failure ${spare.failSeq} was finished before the earlier failure ${entry.failSeq}`);
        entry.failSeq = spare.failSeq;
        entry.status = spare.status;
        remaps.pop();
        insert(remaps, entry);
        continue;
      }
      this.marks.set(this.view.faultDomain[position] ?? 0, Mark.REAL);
      remaps.pop();
    }
    this.marks.clearGroup();
  }

  private load(group: RemapGroup): void {
    if (this.loaded === group) return;
    if (this.loaded) {
      this.loaded.marks = this.marks.saveGroup();
      this.marks.clearGroup();
    }
    if (group.marks) this.marks.loadGroup(group.marks);
    this.loaded = group;
  }

  private pickSpare(request: LayoutRequest, entry: Remap): number {
    const start = startOf(request, entry.shard);
    let key = this.rebuildKey;
    if (this.layoutVersion < 2) {
      key = new LayoutKey();
      key.seedWith(this.objectKey, entry.shard);
      key.seedWith(this.objectKey, key.lo);
    }
    return this.picker.pick(start, key, entry.shard, request.groupSize);
  }
}

/** Domain where the search for a shard begins: its performance domain, or the root. */
function startOf({ perfDomains, shardsPerPerfDomain }: LayoutRequest, shard: number): number {
  if (perfDomains.length === 0) return 0;
  return perfDomains[Math.trunc(shard / shardsPerPerfDomain) % perfDomains.length] ?? 0;
}

function laterFirst(a: Remap, b: Remap): number {
  return b.failSeq - a.failSeq || b.shard - a.shard;
}

/** Puts an entry where it belongs in a list ordered by `laterFirst`. */
function insert(remaps: Remap[], entry: Remap): void {
  let low = 0;
  let high = remaps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = remaps[middle];
    if (other && laterFirst(other, entry) < 0) low = middle + 1;
    else high = middle;
  }
  remaps.splice(low, 0, entry);
}
