import { DaosError } from './error.js';

/**
 * Object classes: the redundancy (replicas or erasure code) and the number of redundancy groups of an object.
 * A class id is (redundancy code << 24) | groups; ids below 2^24 are legacy and stand for one class each.
 */
export interface ObjectClass {
  readonly id: number;
  readonly name: string;
  /** Redundancy code; 0 for legacy ids. */
  readonly redundancy: number;
  readonly kind: 'rp' | 'ec';
  /** Redundancy groups; `GROUPS_MAX` = as many as the pool allows. */
  readonly groupCount: number;
  /** Shards of a group: replicas, or data plus parity; `GROUP_SIZE_MAX` = one per fault domain. */
  readonly groupSize: number;
  /** Failures of fault domains that the data survives. */
  readonly allowedFailures: number;
  /** Cells of a stripe, for erasure code. */
  readonly dataCells: number;
  readonly parityCells: number;
  /** The object id names the rank and target of the first shard (tests only). */
  readonly specialRank: boolean;
  /** I/O is acknowledged and dropped (tests only). */
  readonly echo: boolean;
}

/** Group count "X": as many as the pool allows, resolved when an object id is generated. */
export const GROUPS_MAX = 65535;
/** Group size of RP_XSF: as many replicas as there are fault domains. */
export const GROUP_SIZE_MAX = 65535;
/** Longest class name. */
export const CLASS_NAME_MAX = 24;
export const CLASS_ID_RP_XSF = 80;

const LEGACY_LIMIT = 2 ** 24;
const GROUP_COUNTS = [1, 2, 4, 6, 8, 12, 16, 32, GROUPS_MAX];
/** Redundancy code and replicas. */
const REPLICATION: readonly (readonly [code: number, replicas: number])[] = [
  [1, 1],
  [8, 2],
  [9, 3],
  [10, 4],
  [11, 5],
  [12, 6],
];
/** Redundancy code, data cells and parity cells. */
const ERASURE: readonly (readonly [code: number, k: number, p: number])[] = [
  [32, 2, 1],
  [33, 2, 2],
  [34, 4, 1],
  [35, 4, 2],
  [36, 8, 1],
  [37, 8, 2],
  [38, 16, 1],
  [39, 16, 2],
  [40, 4, 3],
  [41, 8, 3],
  [42, 16, 3],
];

function replicated(id: number, name: string, redundancy: number, replicas: number, groupCount: number): ObjectClass {
  return {
    id,
    name,
    redundancy,
    kind: 'rp',
    groupCount,
    groupSize: replicas,
    allowedFailures: replicas === GROUP_SIZE_MAX ? GROUP_SIZE_MAX : replicas - 1,
    dataCells: 0,
    parityCells: 0,
    specialRank: name.endsWith('_SR'),
    echo: name.endsWith('_ECHO'),
  };
}

function ofCode(code: number, groupCount: number): ObjectClass | undefined {
  const groups = groupCount === GROUPS_MAX ? 'X' : String(groupCount);
  const id = code * LEGACY_LIMIT + groupCount;
  const rp = REPLICATION.find(([known]) => known === code);
  if (rp) {
    const name = rp[1] === 1 ? `S${groups}` : `RP_${rp[1]}G${groups}`;
    return replicated(id, name, code, rp[1], groupCount);
  }
  const ec = ERASURE.find(([known]) => known === code);
  if (!ec) return undefined;
  const [, k, p] = ec;
  return {
    ...replicated(id, `EC_${k}P${p}G${groups}`, code, k + p, groupCount),
    kind: 'ec',
    allowedFailures: p,
    dataCells: k,
    parityCells: p,
  };
}

function registered(): ObjectClass[] {
  const classes: ObjectClass[] = [];
  const add = (found: ObjectClass | undefined): void => {
    if (found) classes.push(found);
  };
  for (const [code] of REPLICATION) for (const groups of GROUP_COUNTS) add(ofCode(code, groups));
  for (const [code] of ERASURE) for (const groups of GROUP_COUNTS) if (groups !== 6) add(ofCode(code, groups));
  add(replicated(CLASS_ID_RP_XSF, 'RP_XSF', 0, GROUP_SIZE_MAX, 1));
  for (let replicas = 1; replicas <= 4; replicas++) {
    add(replicated(13 + replicas, `RP_${replicas}G1_ECHO`, 0, replicas, 1));
  }
  for (let replicas = 1; replicas <= 3; replicas++) {
    add(replicated(17 + replicas, `RP_${replicas}G1_SR`, 0, replicas, 1));
  }
  return classes;
}

const CLASSES = registered();
const BY_NAME = new Map(CLASSES.map((found) => [found.name, found]));
const BY_ID = new Map(CLASSES.map((found) => [found.id, found]));
/** Synthesised classes are kept, up to a bound, so that a look-up on the open path allocates nothing. */
const SYNTHESISED_MAX = 4096;
const synthesised = new Map<number, ObjectClass>();

/** Registered class of a name (exact, case-sensitive); undefined when there is none. */
export function objectClassByName(name: string): ObjectClass | undefined {
  return BY_NAME.get(name);
}

/** Class of an id, with any group count for ids of the present form; undefined for an unknown id. */
export function objectClassById(id: number): ObjectClass | undefined {
  const exact = BY_ID.get(id) ?? synthesised.get(id);
  if (exact) return exact;
  if (id < LEGACY_LIMIT || id % LEGACY_LIMIT === 0) return undefined;
  const found = ofCode(Math.trunc(id / LEGACY_LIMIT), id % LEGACY_LIMIT);
  if (found) {
    if (synthesised.size >= SYNTHESISED_MAX) synthesised.clear();
    synthesised.set(id, found);
  }
  return found;
}

/** Name of a class id; `UNKNOWN` for an unknown one. */
export function objectClassName(id: number): string {
  return objectClassById(id)?.name ?? 'UNKNOWN';
}

/**
 * True when an id names a class, or at least a redundancy code: like DAOS's query, it does not look at the group count
 * of ids of the present form.
 */
export function objectClassIsValid(id: number): boolean {
  if (id >= LEGACY_LIMIT) return ofCode(Math.trunc(id / LEGACY_LIMIT), 1) !== undefined;
  return BY_ID.has(id);
}

/** Failures of fault domains that objects of a class survive; 65535: all but one. Throws DER_INVAL for an unknown id. */
export function objectClassAllowedFailures(id: number): number {
  const found = objectClassById(id);
  if (!found) throw new DaosError('INVAL', `unknown object class id ${id}`);
  return found.allowedFailures;
}

/** Names of all registered classes, each followed by ", ". */
export function objectClassNames(): string {
  return CLASSES.map(({ name }) => `${name}, `).join('');
}

/** All registered classes, in table order. */
export function objectClassList(): readonly ObjectClass[] {
  return CLASSES;
}
