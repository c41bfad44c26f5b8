import { hashMix96, type PoolComponent, type PoolDomain, type PoolMap, type PoolTarget } from '@daos/common';

/** Bits of the range over which ring slots are spread: these for domains, and for the targets of one. */
const DOMAIN_BITS = 20;
const TARGET_BITS = 10;
/** Most bits of the range. */
const SLOT_HASH_BITS_MAX = 45;
const RING_HASH_BITS = 23;
/** Moduli that tell the ids of domains and of targets apart. */
const DOMAIN_PRIME = 23;
const TARGET_PRIME = 13;

const RING_MULTIPLIER = 0x9e37fffffffc0001n;
const SLOT_MULTIPLIER = 0xcbf29ce484222325n;

/** A domain while a ring is built. */
interface RingDomain {
  readonly domain: PoolDomain;
  readonly targets: readonly PoolTarget[];
}

/** Rings of targets: runs of as many slots as there are domains touch every domain once, as far as domains are even. */
export class Rings {
  /** Per ring, positions of targets in the map. */
  private readonly rings: readonly Int32Array[];
  private readonly ringHashes: readonly number[];
  private readonly slotHashes: readonly number[];
  private readonly slotBits: number;
  readonly domainCount: number;
  readonly targetCount: number;

  /** Components newer than the map are left out. */
  constructor(map: PoolMap, faultLevel: number, ringCount: number) {
    const domains = map
      .domainsOf(faultLevel)
      .filter((domain) => domain.version <= map.version)
      .map((domain) => ({ domain, targets: map.targetsOf(domain).filter((target) => target.version <= map.version) }));
    this.domainCount = domains.length;
    this.targetCount = domains.reduce((count, { targets }) => count + targets.length, 0);
    this.rings = Array.from({ length: ringCount }, (_, ring) => ringOf(domains, ring + 1));
    const perDomain = Math.trunc(this.targetCount / this.domainCount);
    this.slotBits = Math.min(SLOT_HASH_BITS_MAX, DOMAIN_BITS + TARGET_BITS + Math.ceil(Math.log2(perDomain)));
    this.slotHashes = evenly(this.targetCount, 2 ** this.slotBits);
    this.ringHashes = evenly(ringCount, 2 ** RING_HASH_BITS);
  }

  /** The ring of an object: positions of targets. */
  ringOf(oidLo: bigint): Int32Array {
    const hash = Number(BigInt.asUintN(64, oidLo * RING_MULTIPLIER) >> BigInt(64 - RING_HASH_BITS));
    return this.rings[lastUpTo(this.ringHashes, hash)] ?? new Int32Array(0);
  }

  /** Slot where the shards of an object begin. */
  slotOf(oidLo: bigint): number {
    let mixed = oidLo ^ BigInt.asUintN(64, oidLo << 39n);
    mixed = BigInt.asUintN(64, mixed + (mixed << 9n));
    mixed = BigInt.asUintN(64, mixed - (mixed << 17n));
    const top = BigInt.asUintN(64, mixed * SLOT_MULTIPLIER) >> BigInt(64 - SLOT_HASH_BITS_MAX);
    return lastUpTo(this.slotHashes, Number(BigInt.asUintN(this.slotBits, top)));
  }
}

/** The first target of every domain, then the second of every one that has it, and so on. */
function ringOf(domains: readonly RingDomain[], seed: number): Int32Array {
  const ordered = mergedByVersion(domains, seed);
  const targets = ordered.map((one) => [...one.targets].sort((a, b) => a.version - b.version || shuffled(a, b, seed, TARGET_PRIME)));
  const widest = targets.reduce((most, list) => Math.max(most, list.length), 0);
  const ring: number[] = [];
  for (let turn = 0; turn < widest; turn++) {
    for (const list of targets) {
      const target = list[turn];
      if (target) ring.push(target.position);
    }
  }
  return Int32Array.from(ring);
}

/** Domains of one version in shuffled order; those of a later version are dealt in between the older ones, one each. */
function mergedByVersion(domains: readonly RingDomain[], seed: number): RingDomain[] {
  const versions = [...new Set(domains.map(({ domain }) => domain.version))].sort((a, b) => a - b);
  return versions.reduce<RingDomain[]>((older, version) => {
    const newer = domains
      .filter(({ domain }) => domain.version === version)
      .sort((a, b) => shuffled(a.domain, b.domain, seed, DOMAIN_PRIME));
    const merged: RingDomain[] = [];
    for (let i = 0; i < Math.max(older.length, newer.length); i++) merged.push(...older.slice(i, i + 1), ...newer.slice(i, i + 1));
    return merged;
  }, []);
}

function shuffled(a: PoolComponent, b: PoolComponent, seed: number, prime: number): number {
  return hashMix96(seed, a.id % prime, a.id) - hashMix96(seed, b.id % prime, b.id) || a.id - b.id;
}

/** `count` numbers spread over a range, by a stride that is summed up. */
function evenly(count: number, range: number): number[] {
  const stride = range / count;
  let sum = 0;
  return Array.from({ length: count }, () => {
    const hash = Math.trunc(sum);
    sum += stride;
    return hash;
  });
}

/** Index of the last hash that is not larger than the value; 0 when there is none. */
function lastUpTo(hashes: readonly number[], value: number): number {
  let low = 0;
  let high = hashes.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((hashes[middle] ?? 0) <= value) low = middle;
    else high = middle;
  }
  return low;
}
