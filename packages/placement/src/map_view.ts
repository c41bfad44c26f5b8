import { ComponentFlag, ComponentStatus, ComponentType, type PoolComponent, type PoolMap, type PoolTarget } from '@daos/common';

/** As of when a layout is wanted: before the running changes of the pool, now, or after them. */
export const LayoutMode = { PRE: 0, CURRENT: 1, POST: 2 } as const;
export type LayoutMode = (typeof LayoutMode)[keyof typeof LayoutMode];

/** What a target's state means for a shard that the hash puts on it (bits). */
export const Verdict = {
  /** The shard lives elsewhere. */
  REMAP: 1,
  /** Do not read, do write. */
  REBUILDING: 2,
  REINTEGRATING: 4,
  /** The shard has a second live location. */
  HAS_PEER: 8,
} as const;

/**
 * A pool map as placement sees it at one fault level, mode and allowed version: which components exist for it, and how
 * many children each domain offers. Made once per map and mode, shared by all layouts. All arrays are indexed by the
 * position of a domain or target in the map; children of a fault-level domain are targets.
 */
export class MapView {
  /** Children to choose among: all but those at the end that do not exist for this view; at least one. */
  readonly childCount: Int32Array;
  readonly childStart: Int32Array;
  /** End of all children, also those that do not exist. */
  readonly childEnd: Int32Array;
  /** Children that exist for this view. */
  readonly visibleCount: Int32Array;
  readonly domainId: Int32Array;
  readonly parent: Int32Array;
  /** 1: the component does not exist for this view. */
  readonly domainSkipped: Uint8Array;
  readonly targetSkipped: Uint8Array;
  /** 1: targets hang below. */
  readonly atFaultLevel: Uint8Array;
  /** Position of the fault-level domain of a target. */
  readonly faultDomain: Int32Array;
  /** `Verdict` bits of each target. */
  readonly verdicts: Uint8Array;
  /** Some target is in a state other than UPIN. */
  readonly hasChanges: boolean;
  /** Some target can hold shards. */
  readonly hasUsable: boolean;

  constructor(
    readonly map: PoolMap,
    readonly faultLevel: number,
    readonly mode: LayoutMode,
    readonly version: number,
  ) {
    const { domains, targets } = map;
    this.childCount = new Int32Array(domains.length);
    this.childStart = new Int32Array(domains.length);
    this.childEnd = new Int32Array(domains.length);
    this.visibleCount = new Int32Array(domains.length);
    this.domainId = Int32Array.from(domains, (domain) => domain.id);
    this.parent = Int32Array.from(domains, (domain) => domain.parent);
    this.domainSkipped = Uint8Array.from(domains, (domain) => (this.isSkipped(domain) ? 1 : 0));
    this.targetSkipped = Uint8Array.from(targets, (target) => (this.isSkipped(target) ? 1 : 0));
    this.atFaultLevel = new Uint8Array(domains.length);
    this.faultDomain = new Int32Array(targets.length);
    this.verdicts = Uint8Array.from(targets, (target) => this.verdict(target));
    this.hasChanges = targets.some((target) => target.status !== ComponentStatus.UPIN);
    this.hasUsable = this.verdicts.some((verdict, i) => (verdict & Verdict.REMAP) === 0 && this.targetSkipped[i] === 0);
    for (let position = 0; position < domains.length; position++) this.addDomain(position);
  }

  private addDomain(position: number): void {
    const domain = this.map.domains[position];
    if (!domain) return;
    const leaf = domain.type === this.faultLevel || domain.type === ComponentType.RANK;
    const start = leaf ? domain.targetStart : domain.childStart;
    const end = start + (leaf ? domain.targetCount : domain.childCount);
    const skipped = leaf ? this.targetSkipped : this.domainSkipped;
    let offered = end;
    while (offered > start + 1 && skipped[offered - 1] === 1) offered--;
    let visible = 0;
    for (let child = start; child < offered; child++) if (skipped[child] === 0) visible++;
    this.childStart[position] = start;
    this.childEnd[position] = end;
    this.childCount[position] = offered - start;
    this.visibleCount[position] = visible;
    if (leaf) this.atFaultLevel[position] = 1;
    if (domain.type === this.faultLevel) this.faultDomain.fill(position, start, end);
  }

  /** New components are unknown; just extended ones are known only to layouts after the extension. */
  private isSkipped(component: PoolComponent): boolean {
    if (component.type === ComponentType.ROOT) return false;
    if (component.status === ComponentStatus.NEW) return true;
    const extended = component.status === ComponentStatus.UP && component.failSeq <= 1;
    return extended && (component.inOutVersion > this.version || this.mode !== LayoutMode.POST);
  }

  private verdict(target: PoolTarget): number {
    const { status } = target;
    if (status === ComponentStatus.UPIN) return 0;
    const now = this.mode !== LayoutMode.PRE;
    if (status === ComponentStatus.DOWNOUT) return Verdict.REMAP;
    if (status === ComponentStatus.DOWN || status === ComponentStatus.DRAIN) {
      // A change that the layout may not know of yet.
      if (now && target.failSeq > this.version) return 0;
      if (status === ComponentStatus.DOWN) return now ? Verdict.REMAP | Verdict.REBUILDING : Verdict.REBUILDING;
      if (this.mode === LayoutMode.POST) return Verdict.REMAP;
      return this.mode === LayoutMode.CURRENT ? Verdict.HAS_PEER : 0;
    }
    if (status !== ComponentStatus.UP) return Verdict.REMAP;
    if (now && target.inOutVersion > this.version) return Verdict.REMAP;
    if (target.flags & ComponentFlag.DOWN2UP) return Verdict.REBUILDING | Verdict.REINTEGRATING;
    if (this.mode === LayoutMode.POST) return 0;
    return this.mode === LayoutMode.CURRENT ? Verdict.REMAP | Verdict.HAS_PEER : Verdict.REMAP;
  }
}
