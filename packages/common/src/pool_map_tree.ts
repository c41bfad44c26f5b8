import { DaosError } from './error.js';
import { ComponentStatus, ComponentType, type PoolComponent } from './pool_component.js';

/** A node of the tree above targets. Children and targets are contiguous slices of the map's arrays. */
export interface PoolDomain extends PoolComponent {
  /** Place in `PoolMap.domains`; the root is 0. Placement works on positions: they never change. */
  readonly position: number;
  /** Position of the parent; -1 for the root. */
  readonly parent: number;
  /** Position of the first child domain; for a rank, of its first target. */
  readonly childStart: number;
  readonly targetStart: number;
  readonly targetCount: number;
}

/** A storage partition of an engine. */
export interface PoolTarget extends PoolComponent {
  /** Place in `PoolMap.targets`. */
  readonly position: number;
  /** Position of the rank domain. */
  readonly parent: number;
}

interface MutableDomain extends PoolComponent {
  position: number;
  parent: number;
  childStart: number;
  targetStart: number;
  targetCount: number;
}

/**
 * Links parents and children of the layers, root added. `inner` are the domains, `leaves` the targets, both in stored
 * order. Throws DER_INVAL when they are no tree: a domain without children or with those of two layers, a component
 * without a parent, a target of another rank than its parent, or an id that occurs twice in a layer.
 */
export function poolTree(inner: readonly PoolComponent[], leaves: readonly PoolComponent[]): [PoolDomain[], PoolTarget[]] {
  const first = inner[0]?.type;
  const rootChildren = inner.filter((component) => component.type === first).length;
  const root: PoolComponent = {
    type: ComponentType.ROOT,
    status: ComponentStatus.UPIN,
    index: 0,
    id: 0,
    rank: 0,
    version: 0,
    failSeq: 0,
    inOutVersion: 0,
    flags: 0,
    childCount: rootChildren,
  };
  const domains: MutableDomain[] = [root, ...inner].map((component, position) => ({
    ...component,
    position,
    parent: -1,
    childStart: 0,
    targetStart: 0,
    targetCount: 0,
  }));
  const targets = leaves.map((component, position) => ({ ...component, position, parent: -1 }));
  link(domains, targets);
  checkUnique(domains);
  checkUnique(targets);
  for (let i = domains.length - 1; i >= 0; i--) {
    const domain = domains[i];
    if (domain) countTargets(domain, domains);
  }
  return [domains, targets];
}

function link(domains: MutableDomain[], targets: (PoolComponent & { parent: number })[]): void {
  let nextDomain = 1;
  let nextTarget = 0;
  /** Layer below each layer. */
  const layerBelow = new Map<number, number>();
  for (const domain of domains) {
    const isRank = domain.type === ComponentType.RANK;
    const children = isRank ? targets : domains;
    domain.childStart = isRank ? nextTarget : nextDomain;
    if (domain.childCount === 0) throw invalidMap(`domain ${domain.id} of layer ${domain.type} is empty`);
    if (domain.childStart + domain.childCount > children.length) throw invalidMap('a domain has more children than exist');
    for (let i = domain.childStart; i < domain.childStart + domain.childCount; i++) {
      const child = children[i];
      if (!child || child.type >= domain.type || child.parent !== -1) throw invalidMap('parents and children disagree');
      const layer = layerBelow.get(domain.type) ?? child.type;
      if (child.type !== layer) throw invalidMap(`layers ${layer} and ${child.type} both stand below layer ${domain.type}`);
      if (isRank && child.rank !== domain.id) throw invalidMap(`target ${child.id} of rank ${child.rank} stands in rank ${domain.id}`);
      layerBelow.set(domain.type, layer);
      child.parent = domain.position;
    }
    if (isRank) nextTarget += domain.childCount;
    else nextDomain += domain.childCount;
  }
  if (nextDomain !== domains.length || nextTarget !== targets.length) throw invalidMap('components without a parent');
}

function checkUnique(components: readonly PoolComponent[]): void {
  let seen = new Set<number>();
  let layer: number = ComponentType.ROOT;
  for (const { type, id } of components) {
    if (type !== layer) seen = new Set();
    layer = type;
    if (seen.has(id)) throw invalidMap(`component ${id} of layer ${type} occurs twice`);
    seen.add(id);
  }
}

function countTargets(domain: MutableDomain, domains: readonly MutableDomain[]): void {
  if (domain.type === ComponentType.RANK) {
    domain.targetStart = domain.childStart;
    domain.targetCount = domain.childCount;
    return;
  }
  const children = domains.slice(domain.childStart, domain.childStart + domain.childCount);
  domain.targetStart = children[0]?.targetStart ?? 0;
  domain.targetCount = children.reduce((count, child) => count + child.targetCount, 0);
}

/** The error for components that form no map. */
export function invalidMap(what: string): DaosError {
  return new DaosError('INVAL', `pool map: ${what}`);
}
