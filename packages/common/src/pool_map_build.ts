import { DaosError } from './error.js';
import { ComponentStatus, ComponentType, type PoolComponent } from './pool_component.js';
import { PoolMap } from './pool_map.js';

export interface PoolMapBuildParams {
  /** Ranks of the pool. */
  readonly ranks: readonly number[];
  /** Targets of every rank, or of each rank in the order of `ranks`. */
  readonly targetsPerRank: number | readonly number[];
  /**
   * Fault domains as the control plane sends them: metadata, then (level, id, children) breadth-first from the root,
   * then the ranks in order. Absent: all ranks stand on one node.
   */
  readonly faultDomains?: readonly number[];
  /** Map version; default 1. */
  readonly version?: number;
}

/** A domain while the tree is built; leaves are ranks. */
export interface DomainTree {
  readonly type: number;
  readonly id: number;
  readonly children: DomainTree[];
  readonly targetCount: number;
}

/**
 * Map of a new pool: every component in, at version 1 (or the given one), target ids in order of the ranks.
 * Throws DER_INVAL for an impossible tree and DER_TRUNC for one that ends too early.
 */
export function poolMapBuild(params: PoolMapBuildParams): PoolMap {
  const { ranks, version = 1 } = params;
  const leaf = rankLeaves(ranks, params.targetsPerRank);
  const tree = params.faultDomains
    ? domainTreeParse(params.faultDomains, ranks.length, leaf)
    : [{ type: ComponentType.NODE, id: 1, children: ranks.map(leaf), targetCount: 0 }];
  return poolMapOfTree(tree, version, ComponentStatus.UPIN);
}

/** Gives the leaf of a rank. Throws DER_INVAL for ranks that are missing, repeated or without targets. */
export function rankLeaves(ranks: readonly number[], counts: number | readonly number[]): (rank: number) => DomainTree {
  const targetCountOf = new Map(
    ranks.map((rank, i) => [rank, typeof counts === 'number' ? counts : (counts[i] ?? 0)] as const),
  );
  if (ranks.length === 0 || targetCountOf.size !== ranks.length) {
    throw new DaosError('INVAL', 'a pool map needs at least one rank, each given once');
  }
  return (rank) => {
    const targetCount = targetCountOf.get(rank);
    if (!targetCount) throw new DaosError('INVAL', `rank ${rank} of the fault domains is not in the pool or has no targets`);
    return { type: ComponentType.RANK, id: rank, children: [], targetCount };
  };
}

/** Flattens a tree, given as the root's children, into a map whose target ids count up in order. */
export function poolMapOfTree(roots: readonly DomainTree[], version: number, status: number): PoolMap {
  const fresh = { status, version, failSeq: 1, inOutVersion: version, flags: 0 };
  const domains: PoolComponent[] = [];
  const targets: PoolComponent[] = [];
  for (let layer = [...roots]; layer.length > 0; layer = layer.flatMap((domain) => domain.children)) {
    layer.forEach((domain, index) => {
      const isRank = domain.type === ComponentType.RANK;
      const childCount = isRank ? domain.targetCount : domain.children.length;
      const common = { ...fresh, rank: isRank ? domain.id : 0 };
      domains.push({ ...common, type: domain.type, id: domain.id, index: index & 0xff, childCount });
      for (let i = 0; isRank && i < domain.targetCount; i++) {
        targets.push({ ...common, type: ComponentType.TARGET, id: targets.length, index: i, childCount: 1 });
      }
    });
  }
  return PoolMap.fromComponents([...domains, ...targets], version);
}

/**
 * Reads a fault domain tree as the control plane sends it; the result are the root's children. Throws DER_INVAL for an
 * impossible tree and DER_TRUNC for one that ends too early.
 */
export function domainTreeParse(
  compressed: readonly number[],
  rankCount: number,
  leaf: (rank: number) => DomainTree,
): DomainTree[] {
  const tupleWords = compressed.length - 1 - rankCount;
  if (tupleWords < 3) throw new DaosError('TRUNC', 'the fault domain tree ends before its ranks');
  if (tupleWords % 3 !== 0) throw new DaosError('INVAL', 'the fault domain tree has an incomplete domain');
  const metadata = compressed[0] ?? 0;
  const ranks = compressed.slice(1 + tupleWords);
  const depth = compressed[1] ?? 0;
  let at = 1;
  // Breadth-first: the domains of one layer, waiting for their children.
  let waiting: { readonly into: DomainTree[]; readonly level: number; readonly count: number }[] = [];
  const roots: DomainTree[] = [];
  waiting.push({ into: roots, level: depth, count: compressed[3] ?? 0 });
  at += 3;
  let nextRank = 0;
  while (waiting.length > 0) {
    const next: typeof waiting = [];
    for (const { into, level, count } of waiting) {
      for (let i = 0; i < count; i++) {
        if (level === 1) {
          const rank = ranks[nextRank++];
          if (rank === undefined) throw new DaosError('TRUNC', 'the fault domain tree has fewer ranks than its nodes');
          into.push(leaf(rank));
          continue;
        }
        const [childLevel, id, childCount] = compressed.slice(at, at + 3);
        if (at + 3 > 1 + tupleWords || childLevel === undefined || id === undefined || childCount === undefined) {
          throw new DaosError('TRUNC', 'the fault domain tree ends inside a layer');
        }
        if (childLevel !== level - 1 || childCount === 0) {
          throw new DaosError('INVAL', `fault domain ${id} stands at level ${childLevel} below level ${level}`);
        }
        at += 3;
        const domain = { type: layerType(childLevel, depth, metadata), id, children: [], targetCount: 0 };
        into.push(domain);
        next.push({ into: domain.children, level: childLevel, count: childCount });
      }
    }
    waiting = next;
  }
  if (nextRank !== ranks.length || at !== 1 + tupleWords) {
    throw new DaosError('INVAL', 'the fault domain tree does not reach all of its domains and ranks');
  }
  return roots;
}

/**
 * Level 1 holds nodes; above stand the administrator's domains, the topmost of which are performance domains when the
 * metadata says so. Control planes differ in the bit: both count.
 */
function layerType(level: number, depth: number, metadata: number): number {
  if (level === 1) return ComponentType.NODE;
  return metadata !== 0 && level === depth - 1 ? ComponentType.PERF : ComponentType.FAULT + level - 2;
}
