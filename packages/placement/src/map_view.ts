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
 * many children each domain offers. Made once per map and mode, shared by all layouts.
 */
export class MapView {
  /** Children to choose among, by domain position; for domains of the fault level: targets. */
  readonly childCount: Int32Array;
  readonly childStart: Int32Array;
  readonly domainId: Int32Array;
  readonly parent: Int32Array;
  /** 1: the component does not exist for this view, by position. */
  readonly domainSkipped: Uint8Array;
  readonly targetSkipped: Uint8Array;
  /** 1: targets hang below, by domain position. */
  readonly atFaultLevel: Uint8Array;
  /** Position of the fault-level domain of a target, by target position. */
  readonly faultDomain: Int32Array;
  /** Some target is in a state other than UPIN. */
  readonly hasChanges: boolean;

  constructor(
    readonly map: PoolMap,
    readonly faultLevel: number,
    readonly mode: LayoutMode,
    readonly version: number,
  ) {
    const { domains, targets } = map;
    this.childCount = new Int32Array(domains.length);
    this.childStart = new Int32Array(domains.length);
    this.domainId = Int32Array.from(domains, (domain) => domain.id);
    this.parent = Int32Array.from(domains, (domain) => domain.parent);
    this.domainSkipped = Uint8Array.from(domains, (domain) => (this.isSkipped(domain) ? 1 : 0));
    this.targetSkipped = Uint8Array.from(targets, (target) => (this.isSkipped(target) ? 1 : 0));
    this.atFaultLevel = new Uint8Array(domains.length);
    this.faultDomain = new Int32Array(targets.length);
    this.hasChanges = targets.some((target) => target.status !== ComponentStatus.UPIN);
    for (const domain of domains) {
      const leaf = domain.type === faultLevel || domain.type === ComponentType.RANK;
      const start = leaf ? domain.targetStart : domain.childStart;
      let count = leaf ? domain.targetCount : domain.childCount;
      const skipped = leaf ? this.targetSkipped : this.domainSkipped;
      while (count > 1 && skipped[start + count - 1] === 1) count--;
      this.childStart[domain.position] = start;
      this.childCount[domain.position] = count;
      if (!leaf) continue;
      this.atFaultLevel[domain.position] = 1;
      if (domain.type !== faultLevel) continue;
      this.faultDomain.fill(domain.position, domain.targetStart, domain.targetStart + domain.targetCount);
    }
  }

  /** New components are unknown; just extended ones are known only to layouts after the extension. */
  private isSkipped(component: PoolComponent): boolean {
    if (component.type === ComponentType.ROOT) return false;
    if (component.status === ComponentStatus.NEW) return true;
    const extended = component.status === ComponentStatus.UP && component.failSeq <= 1;
    return extended && (component.inOutVersion > this.version || this.mode !== LayoutMode.POST);
  }

  /** `Verdict` bits of a target. */
  verdict(target: PoolTarget): number {
    const { status } = target;
    if (status === ComponentStatus.UPIN) return 0;
    const now = this.mode !== LayoutMode.PRE;
    if (status === ComponentStatus.DOWNOUT) return Verdict.REMAP;
    if (status === ComponentStatus.DOWN || status === ComponentStatus.DRAIN) {
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
