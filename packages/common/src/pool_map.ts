import { DaosError } from './error.js';
import {
  COMPONENT_BYTES,
  ComponentStatus,
  ComponentType,
  componentRead,
  componentWrite,
  type PoolComponent,
} from './pool_component.js';
import { invalidMap, poolTree, type PoolDomain, type PoolTarget } from './pool_map_tree.js';

export type { PoolDomain, PoolTarget } from './pool_map_tree.js';

const HEADER_BYTES = 32;
const FORMAT_VERSION = 2;
const FORMAT_VERSION_LEGACY = 1;
/** Most components of one map: far above any pool, low enough that a damaged header cannot exhaust memory. */
const COMPONENTS_MAX = 4_000_000;
const NO_DOMAINS: readonly PoolDomain[] = [];

/**
 * Members of a pool: a tree of fault domains with ranks and, as leaves, targets, at one version. Immutable: a change
 * makes a new map with a higher version. Domains stand in breadth-first order, root first; targets in the same order,
 * so that the targets of any domain are one slice.
 */
export class PoolMap {
  /** Targets whose place is not their id: those behind others that were added in between. */
  private readonly displaced = new Map<number, PoolTarget>();
  private readonly rankDomains = new Map<number, PoolDomain>();
  /** Domains of each layer. */
  private readonly layers = new Map<number, readonly PoolDomain[]>();

  private constructor(
    readonly version: number,
    readonly domains: readonly PoolDomain[],
    readonly targets: readonly PoolTarget[],
  ) {
    for (const target of targets) if (target.id !== target.position) this.displaced.set(target.id, target);
    for (const domain of domains) if (domain.type === ComponentType.RANK) this.rankDomains.set(domain.id, domain);
    for (let start = 0; start < domains.length; ) {
      const type = domains[start]?.type ?? 0;
      let end = start;
      while (domains[end]?.type === type) end++;
      this.layers.set(type, domains.slice(start, end));
      start = end;
    }
  }

  /**
   * Map of components in stored order: upper domains, ranks, targets, each layer breadth-first, root left out.
   * Throws DER_INVAL when they do not form a proper tree, DER_NOSPACE when there are too many.
   */
  static fromComponents(components: readonly PoolComponent[], version: number): PoolMap {
    if (components.length > COMPONENTS_MAX) {
      throw new DaosError('NOSPACE', `pool map: ${components.length} components; at most ${COMPONENTS_MAX} are possible`);
    }
    let type: number = ComponentType.MAX;
    for (const component of components) {
      if (component.type > type) throw invalidMap('component types increase along the list');
      if (component.version > version) throw invalidMap(`component ${component.id} is newer than the map`);
      type = component.type;
    }
    const inner = components.filter((component) => component.type !== ComponentType.TARGET);
    const leaves = components.filter((component) => component.type === ComponentType.TARGET);
    if (leaves.length === 0) throw invalidMap('no targets');
    if (inner.at(-1)?.type !== ComponentType.RANK) throw invalidMap('no ranks');
    return new PoolMap(version, ...poolTree(inner, leaves));
  }

  /** Reads the stored form. Throws DER_INVAL when it is damaged, DER_DF_INCOMPT when its format is unknown. */
  static decode(bytes: Uint8Array, version: number): PoolMap {
    if (bytes.length < HEADER_BYTES) throw invalidMap(`${bytes.length} bytes are too few`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const word = (i: number): number => view.getUint32(4 * i, true);
    const format = word(0);
    if (format !== FORMAT_VERSION && format !== FORMAT_VERSION_LEGACY) {
      throw new DaosError('DF_INCOMPT', `pool map format ${format} is unknown; this version reads 1 and 2`);
    }
    const [count, domains, ranks, targets] = [word(3), word(4), word(5), word(6)];
    if (count > COMPONENTS_MAX || bytes.length < HEADER_BYTES + count * COMPONENT_BYTES) {
      throw invalidMap(`${count} components do not fit into ${bytes.length} bytes`);
    }
    if (domains + ranks + targets !== count || ranks === 0 || targets === 0) {
      throw invalidMap(`counts disagree: ${domains} domains, ${ranks} ranks, ${targets} targets of ${count}`);
    }
    const components = Array.from({ length: count }, (_, i) => componentRead(view, HEADER_BYTES + i * COMPONENT_BYTES));
    const ranksFound = components.filter((component) => component.type === ComponentType.RANK).length;
    const targetsFound = components.filter((component) => component.type === ComponentType.TARGET).length;
    if (ranksFound !== ranks || targetsFound !== targets) throw invalidMap('counts differ from the components');
    return PoolMap.fromComponents(components, version);
  }

  /** The stored form; the version is kept beside it. */
  encode(): Buffer {
    const components = this.components();
    const out = Buffer.alloc(HEADER_BYTES + components.length * COMPONENT_BYTES);
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const ranks = this.rankDomains.size;
    const header = [FORMAT_VERSION, 0, 0, components.length, this.domains.length - 1 - ranks, ranks, this.targets.length, 0];
    header.forEach((word, i) => view.setUint32(4 * i, word, true));
    components.forEach((component, i) => componentWrite(view, HEADER_BYTES + i * COMPONENT_BYTES, component));
    return out;
  }

  /** All components in stored order. */
  components(): PoolComponent[] {
    return [...this.domains.slice(1), ...this.targets];
  }

  get root(): PoolDomain {
    const root = this.domains[0];
    if (!root) throw invalidMap('no root');
    return root;
  }

  targetById(id: number): PoolTarget | undefined {
    const target = this.targets[id];
    return target?.id === id ? target : this.displaced.get(id);
  }

  rankDomain(rank: number): PoolDomain | undefined {
    return this.rankDomains.get(rank);
  }

  /** Target of a rank by its index inside the rank. */
  targetOf(rank: number, index: number): PoolTarget | undefined {
    const domain = this.rankDomains.get(rank);
    if (!domain || index < 0 || index >= domain.targetCount) return undefined;
    const target = this.targets[domain.targetStart + index];
    return target?.index === index ? target : this.targetsOf(domain).find((other) => other.index === index);
  }

  targetsOf(domain: PoolDomain): readonly PoolTarget[] {
    return this.targets.slice(domain.targetStart, domain.targetStart + domain.targetCount);
  }

  /** Domains of one layer, in order; empty when the map has no such layer. */
  domainsOf(type: number): readonly PoolDomain[] {
    return this.layers.get(type) ?? NO_DOMAINS;
  }

  /** Layer that a redundancy level names: itself when present, else ranks. */
  faultLevel(level: number): number {
    return this.layers.has(level) ? level : ComponentType.RANK;
  }

  /** Targets with a status in the mask, by rising failure sequence. */
  targetsByStatus(mask: number): PoolTarget[] {
    return this.targets.filter((target) => (target.status & mask) !== 0).sort((a, b) => a.failSeq - b.failSeq);
  }

  /** All ranks, in map order. */
  ranks(): number[] {
    return [...this.rankDomains.keys()];
  }

  /** Ranks all of whose targets serve (UP, UPIN or DRAIN), in map order. */
  enabledRanks(): number[] {
    const serving = ComponentStatus.UP | ComponentStatus.UPIN | ComponentStatus.DRAIN;
    const enabled = (domain: PoolDomain): boolean =>
      this.targetsOf(domain).every((target) => (target.status & serving) !== 0);
    return [...this.rankDomains.values()].filter(enabled).map((domain) => domain.id);
  }

  disabledRanks(): number[] {
    const enabled = new Set(this.enabledRanks());
    return this.ranks().filter((rank) => !enabled.has(rank));
  }

  /** Targets that hold data for readers and writers (UPIN). */
  activeTargetCount(): number {
    return this.targets.reduce((count, target) => count + (target.status === ComponentStatus.UPIN ? 1 : 0), 0);
  }

  /** Domains of a layer with at least one DOWN target. Throws DER_NONEXIST when the layer is absent. */
  failedDomainCount(type: number): number {
    const layer = this.domainsOf(type);
    if (layer.length === 0) throw new DaosError('NONEXIST', `the pool map has no layer ${type}`);
    const failed = (domain: PoolDomain): boolean =>
      this.targetsOf(domain).some((target) => target.status === ComponentStatus.DOWN);
    return layer.filter(failed).length;
  }

  /** Fault domains (at a redundancy level) and targets that a new object may count on. */
  space(level: number): { domainCount: number; targetCount: number } {
    const layer = this.domainsOf(this.faultLevel(level));
    return {
      domainCount: layer.filter((domain) => domain.status !== ComponentStatus.NEW).length,
      targetCount: this.activeTargetCount(),
    };
  }
}
