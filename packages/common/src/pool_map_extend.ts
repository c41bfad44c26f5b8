import { DaosError } from './error.js';
import { ComponentStatus, ComponentType, componentStatusName, type PoolComponent } from './pool_component.js';
import { PoolMap } from './pool_map.js';
import { domainTreeParse, rankLeaves, type DomainTree, type PoolMapBuildParams } from './pool_map_build.js';

export interface MapExtension {
  readonly map: PoolMap;
  /** Targets of the named ranks that are in state NEW: those to start filling (`MapOp.EXTEND`). */
  readonly newTargets: readonly number[];
}

/** A domain of the map while it grows. */
interface Growing {
  readonly component: PoolComponent;
  readonly children: Growing[];
  readonly targets: PoolComponent[];
}

const { NEW, UP, UPIN, DOWN } = ComponentStatus;

/**
 * Adds ranks, and the domains on the way to them, behind the existing children of their parents: positions and ids of
 * what exists stay as they are among their siblings. Everything new is in state NEW, which placement does not see.
 * `faultDomains` holds the complete path to each rank; absent: they join the pool's only node. Ranks that the map has
 * are left alone. When it has all of them and some are NEW, a former extension did not get further: the map stays as
 * it is and those targets are returned.
 * Throws DER_ALREADY when all ranks are in and none is NEW, DER_NO_PERM when the version does not grow, DER_INVAL when
 * the tree does not fit the map or attaches to a domain that is neither UPIN, UP nor DOWN, DER_TRUNC as
 * `poolMapBuild`.
 */
export function poolMapExtend(map: PoolMap, params: PoolMapBuildParams): MapExtension {
  const { ranks, version = map.version + 1 } = params;
  if (version <= map.version) {
    throw new DaosError('NO_PERM', `pool map version ${map.version} cannot become ${version}: versions only grow`);
  }
  const leaf = rankLeaves(ranks, params.targetsPerRank);
  const tree = params.faultDomains
    ? domainTreeParse(params.faultDomains, ranks.length, leaf)
    : [{ ...onlyNode(map), children: ranks.map(leaf) }];
  if (ranks.every((rank) => map.rankDomain(rank))) return unfinished(map, ranks);
  const growth = new Growth(map, version);
  growth.merge(tree);
  const grown = growth.finish();
  return { map: grown, newTargets: newTargetsOf(grown, ranks) };
}

function onlyNode(map: PoolMap): Omit<DomainTree, 'children'> {
  const [node, ...others] = map.domainsOf(ComponentType.NODE);
  if (!node || others.length > 0 || node.parent !== 0) {
    throw new DaosError('INVAL', 'a pool of several fault domains is extended with the fault domains of the new ranks');
  }
  return { type: node.type, id: node.id, targetCount: 0 };
}

function newTargetsOf(map: PoolMap, ranks: readonly number[]): number[] {
  const wanted = new Set(ranks);
  return map.targets.filter((target) => wanted.has(target.rank) && target.status === NEW).map((target) => target.id);
}

function unfinished(map: PoolMap, ranks: readonly number[]): MapExtension {
  const newTargets = newTargetsOf(map, ranks);
  if (newTargets.length === 0) throw new DaosError('ALREADY', `ranks ${ranks.join(', ')} are in the pool already`);
  return { map, newTargets };
}

/** The tree of a map with children that can be added. */
class Growth {
  private readonly roots: Growing[] = [];
  private readonly known = new Map<string, { readonly domain: Growing; readonly parent: Growing | undefined }>();
  private readonly added: Growing[] = [];
  private targetCount: number;

  constructor(
    private readonly map: PoolMap,
    private readonly version: number,
  ) {
    this.targetCount = map.targets.length;
    const growing: Growing[] = map.domains.map((component) => ({ component, children: [], targets: [] }));
    for (const domain of map.domains.slice(1)) {
      const [self, parent] = [growing[domain.position], domain.parent > 0 ? growing[domain.parent] : undefined];
      if (!self) continue;
      (parent?.children ?? this.roots).push(self);
      this.known.set(keyOf(domain.type, domain.id), { domain: self, parent });
      if (domain.type === ComponentType.RANK) self.targets.push(...map.targetsOf(domain));
    }
  }

  /** Adds what the tree has and the map has not. */
  merge(tree: readonly DomainTree[]): void {
    const layers = new Set(this.map.domains.map((domain) => domain.type));
    let layer = tree.map((domain) => ({ domain, parent: undefined as Growing | undefined }));
    while (layer.length > 0) {
      const next: typeof layer = [];
      for (const { domain, parent } of layer) {
        if (!layers.has(domain.type)) throw new DaosError('INVAL', `the pool map has no layer ${domain.type}`);
        const found = this.known.get(keyOf(domain.type, domain.id));
        if (found && found.parent !== parent) {
          throw new DaosError('INVAL', `domain ${domain.id} of layer ${domain.type} stands elsewhere in the pool map`);
        }
        const here = found ? attachable(found.domain) : this.add(domain, parent);
        for (const child of domain.children) next.push({ domain: child, parent: here });
      }
      layer = next;
    }
    // Target ids follow the order of the ranks in the tree.
    for (const rank of this.added) this.addTargets(rank);
  }

  private add(domain: DomainTree, parent: Growing | undefined): Growing {
    const isRank = domain.type === ComponentType.RANK;
    const component = {
      ...this.fresh(),
      type: domain.type,
      index: this.map.domainsOf(domain.type).length & 0xff,
      id: domain.id,
      rank: isRank ? domain.id : 0,
      childCount: isRank ? domain.targetCount : domain.children.length,
    };
    const added: Growing = { component, children: [], targets: [] };
    (parent?.children ?? this.roots).push(added);
    this.known.set(keyOf(domain.type, domain.id), { domain: added, parent });
    if (isRank) this.added.push(added);
    return added;
  }

  private addTargets({ component, targets }: Growing): void {
    for (let index = 0; index < component.childCount; index++) {
      targets.push({ ...this.fresh(), type: ComponentType.TARGET, index, id: this.targetCount++, rank: component.id, childCount: 1 });
    }
  }

  private fresh(): Pick<PoolComponent, 'status' | 'version' | 'failSeq' | 'inOutVersion' | 'flags'> {
    return { status: NEW, version: this.version, failSeq: 1, inOutVersion: this.version, flags: 0 };
  }

  finish(): PoolMap {
    const domains: PoolComponent[] = [];
    const targets: PoolComponent[] = [];
    for (let layer = this.roots; layer.length > 0; layer = layer.flatMap((domain) => domain.children)) {
      for (const { component, children, targets: own } of layer) {
        domains.push({ ...component, childCount: children.length + own.length });
        targets.push(...own);
      }
    }
    return PoolMap.fromComponents([...domains, ...targets], this.version);
  }
}

/** The domain, which new children may join. */
function attachable(domain: Growing): Growing {
  const { type, id, status } = domain.component;
  if (type !== ComponentType.RANK && (status & (UPIN | UP | DOWN)) === 0) {
    throw new DaosError('INVAL', `domain ${id} of layer ${type} is ${componentStatusName(status)}: nothing can be added to it`);
  }
  return domain;
}

function keyOf(type: number, id: number): string {
  return `${type}/${id}`;
}
