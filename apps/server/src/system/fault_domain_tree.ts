import { DaosError } from '@daos/common';

import { FaultDomain } from '../config/fault_domain.js';
import type { Member } from './member.js';

interface DomainNode {
  readonly id: number;
  readonly children: Map<string, DomainNode>;
  readonly ranks: number[];
}

/**
 * The fault domains of `ranks` as engines get them: one metadata number (bit 0: the tree has a performance domain above
 * the hosts), then breadth first from the root: level, id and number of children of each domain, and the ranks last.
 * Ids are those of the whole system's tree. DER_INVAL for a rank that is no member.
 */
export function encodeFaultDomains(members: readonly Member[], ranks: readonly number[]): number[] {
  const { root, depth } = buildTree(members);
  const wanted = new Set(ranks);
  const known = new Set(members.map((member) => member.rank));
  for (const rank of ranks) {
    if (!known.has(rank)) throw new DaosError('INVAL', `rank ${rank} is no member of the system`);
  }
  const encoded = [depth > 2 ? 1 : 0];
  let layer: DomainNode[] = [root];
  for (let level = depth; level > 0; level--) {
    const next: DomainNode[] = [];
    for (const node of layer) {
      const children = [...node.children.values()].filter((child) => holdsAny(child, wanted));
      const leaves = node.ranks.filter((rank) => wanted.has(rank));
      encoded.push(level, node.id, children.length + leaves.length);
      next.push(...children);
    }
    if (level === 1) for (const node of layer) encoded.push(...node.ranks.filter((rank) => wanted.has(rank)));
    layer = next;
  }
  return encoded;
}

/** Number of domains of the level above the ranks that hold any of them. */
export function countFaultDomains(members: readonly Member[], ranks: readonly number[]): number {
  const wanted = new Set(ranks);
  return new Set(members.filter((member) => wanted.has(member.rank)).map((member) => member.faultDomain))
    .size;
}

/** Depth counts the levels between root and ranks, with the ranks' own. Ids are given as nodes are first met. */
function buildTree(members: readonly Member[]): { root: DomainNode; depth: number } {
  const root: DomainNode = { id: 0, children: new Map(), ranks: [] };
  let nextId = 1;
  let depth = 1;
  for (const member of [...members].sort((a, b) => a.rank - b.rank)) {
    const { levels } = FaultDomain.parse(member.faultDomain);
    depth = Math.max(depth, levels.length + 1);
    let node = root;
    for (const level of levels) {
      let child = node.children.get(level);
      if (!child) {
        child = { id: nextId++, children: new Map(), ranks: [] };
        node.children.set(level, child);
      }
      node = child;
    }
    node.ranks.push(member.rank);
    nextId++;
  }
  return { root, depth };
}

function holdsAny(node: DomainNode, wanted: ReadonlySet<number>): boolean {
  return node.ranks.some((rank) => wanted.has(rank)) ||
    [...node.children.values()].some((child) => holdsAny(child, wanted));
}
