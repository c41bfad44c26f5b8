import { DaosError } from './error.js';
import {
  CLASS_ID_RP_XSF,
  GROUPS_MAX,
  objectClassById,
  type ObjectClass,
} from './object_class.js';
import type { ObjectId } from './object_id.js';
import { objectTypeIsArray, objectTypeIsFlat, objectTypeIsValid } from './object_type.js';

/** Hints for automatic class selection (DAOS_OCH_*): one redundancy and one sharding wish. */
export const ClassHint = {
  REDUNDANCY_DEFAULT: 1 << 0,
  REDUNDANCY_NONE: 1 << 1,
  REDUNDANCY_REPLICATION: 1 << 2,
  REDUNDANCY_ERASURE: 1 << 3,
  SHARDS_DEFAULT: 1 << 4,
  SHARDS_TINY: 1 << 5,
  SHARDS_REGULAR: 1 << 6,
  SHARDS_HIGH: 1 << 7,
  SHARDS_EXTREME: 1 << 8,
  SHARDS_MAX: 1 << 9,
} as const;

const REDUNDANCY_MASK = 0x00f;
const SHARDS_MASK = 0x3f0;

/** What of the pool and container decides a class. */
export interface ClassSpace {
  /** Available fault domains at the container's redundancy level. */
  readonly domainCount: number;
  /** Available targets. */
  readonly targetCount: number;
  /** The container's `rd_fac`. */
  readonly redundancyFactor: number;
}

/** A class with its group count resolved for one pool. */
export interface FittedClass {
  readonly objectClass: ObjectClass;
  readonly redundancy: number;
  /** Group field of the object id. */
  readonly groupField: number;
  /** Id of the class with that many groups. */
  readonly classId: number;
}

function fitted(objectClass: ObjectClass, redundancy: number, groupField: number): FittedClass {
  return { objectClass, redundancy, groupField, classId: redundancy * 2 ** 24 + groupField };
}

/**
 * Resolves a class, or chooses one when `classId` is 0, for a pool.
 * Throws DER_INVAL for an unknown class, contradictory hints, or a class that needs more domains or targets than exist.
 */
export function objectClassFit(type: number, classId: number, hints: number, space: ClassSpace): FittedClass {
  return classId === 0 ? automaticClass(type, hints, space) : explicitClass(classId, space);
}

function explicitClass(classId: number, space: ClassSpace): FittedClass {
  const found = objectClassById(classId);
  if (!found) throw new DaosError('INVAL', `unknown object class id ${classId}`);
  if (classId === CLASS_ID_RP_XSF) return fitted(found, 0, CLASS_ID_RP_XSF);
  let groups = found.groupCount;
  if (groups === GROUPS_MAX) groups = groupsAvailable(found.groupSize, space);
  checkFit(found, groups, space);
  return fitted(found, found.redundancy, found.redundancy === 0 ? classId : groups);
}

function automaticClass(type: number, hints: number, space: ClassSpace): FittedClass {
  const wanted = wantedGroups(type, hints & SHARDS_MASK, space.targetCount);
  const found = objectClassById(automaticRedundancy(type, hints & REDUNDANCY_MASK, space) * 2 ** 24 + 1);
  if (!found) throw new DaosError('INVAL', 'no object class meets the hints');
  if (found.groupSize > space.domainCount) throw tooFewDomains(found, space);
  const groups =
    wanted === GROUPS_MAX || wanted * found.groupSize > space.targetCount
      ? groupsAvailable(found.groupSize, space)
      : wanted;
  return fitted(found, found.redundancy, groups);
}

function checkFit(found: ObjectClass, groups: number, space: ClassSpace): void {
  if (found.groupSize > space.domainCount) throw tooFewDomains(found, space);
  if (groups * found.groupSize > space.targetCount) {
    const needed = groups * found.groupSize;
    throw new DaosError('INVAL', `object class ${found.name} needs ${needed} targets, the pool has ${space.targetCount}`);
  }
}

function tooFewDomains(found: ObjectClass, space: ClassSpace): DaosError {
  const text = `object class ${found.name} needs ${found.groupSize} fault domains, the pool has ${space.domainCount}`;
  return new DaosError('INVAL', text);
}

function wantedGroups(type: number, hint: number, targetCount: number): number {
  const percent = (share: number, least: number): number => Math.max(least, Math.trunc((targetCount * share) / 100));
  switch (hint) {
    case 0:
    case ClassHint.SHARDS_DEFAULT:
      return objectTypeIsFlat(type) ? GROUPS_MAX : 1;
    case ClassHint.SHARDS_TINY:
      return 1;
    case ClassHint.SHARDS_REGULAR:
      return percent(25, 128);
    case ClassHint.SHARDS_HIGH:
      return percent(50, 256);
    case ClassHint.SHARDS_EXTREME:
      return percent(70, 1024);
    case ClassHint.SHARDS_MAX:
      return GROUPS_MAX;
    default:
      throw new DaosError('INVAL', 'more than one sharding hint was given');
  }
}

/** Least domains for 16, 8, 4, 2 data cells, and the redundancy codes of these, by redundancy factor. */
const EC_CHOICES: Readonly<Record<number, readonly (readonly [domains: number, code: number])[]>> = {
  1: [[18, 38], [10, 36], [6, 34], [3, 32]],
  2: [[20, 39], [12, 37], [8, 35], [4, 33]],
  3: [[22, 42], [14, 41], [10, 40]],
};
const RP_CODES = [1, 8, 9, 10, 11];
const RP_1 = 1;
const RP_2 = 8;
const EC_2P1 = 32;

function automaticRedundancy(type: number, hint: number, space: ClassSpace): number {
  const erasure = (hint & ClassHint.REDUNDANCY_ERASURE) !== 0 || (hint === 0 && objectTypeIsArray(type));
  const factor = space.redundancyFactor;
  const domains = space.domainCount;
  if (factor < 1 || factor > 4) {
    if (hint & ClassHint.REDUNDANCY_ERASURE) return erasureFor(1, domains) ?? EC_2P1;
    return hint & ClassHint.REDUNDANCY_REPLICATION && domains >= 2 ? RP_2 : RP_1;
  }
  return (erasure ? erasureFor(factor, domains) : undefined) ?? RP_CODES[factor] ?? RP_1;
}

function erasureFor(factor: number, domains: number): number | undefined {
  return EC_CHOICES[factor]?.find(([least]) => domains >= least)?.[1];
}

/** Groups that fit into a pool after a reserve for rebuild; at least one. */
function groupsAvailable(groupSize: number, space: ClassSpace): number {
  const groups = Math.max(1, Math.trunc(space.targetCount / groupSize));
  const reserve = reservedGroups(groupSize, space);
  return groups > reserve ? groups - reserve : groups;
}

/** Ranges of domain counts with the share of domains that is kept free for rebuild. */
const RESERVE_RANGES: readonly { readonly below: number; readonly percent: number; readonly extra: number }[] = [
  { below: 16, percent: 0, extra: 0 },
  { below: 32, percent: 0, extra: 1 },
  { below: 64, percent: 0, extra: 2 },
  { below: 128, percent: 4, extra: 2 },
  { below: 256, percent: 6, extra: 2 },
  { below: Infinity, percent: 8, extra: 2 },
];

function reservedDomains(range: number, domains: number, factor: number): number {
  let reserved = 0;
  for (let i = 0; i <= range; i++) {
    const { percent, extra } = RESERVE_RANGES[i] ?? { percent: 0, extra: 0 };
    reserved = Math.max(reserved, Math.trunc((domains * percent) / 100), factor + extra);
  }
  return reserved;
}

function reservedGroups(groupSize: number, space: ClassSpace): number {
  const { domainCount, targetCount, redundancyFactor } = space;
  const override = Number(process.env['D_GX_RESERVED'] ?? 0);
  let targets = override;
  if (!(override > 0)) {
    const range = RESERVE_RANGES.findIndex(({ below }) => domainCount < below);
    let reserved = reservedDomains(range, domainCount, redundancyFactor);
    const before = range === 0 ? 0 : reservedDomains(range - 1, domainCount, redundancyFactor);
    const least = range === 0 ? 1 : (RESERVE_RANGES[range - 1]?.below ?? 1);
    // A pool that grows into the next range must not lose usable domains.
    if (domainCount - reserved < least - 1 - before) reserved = before;
    targets = reserved * Math.trunc(targetCount / domainCount);
  }
  return Math.ceil(Math.max(0, Math.min(targets, targetCount - groupSize)) / groupSize);
}

export interface GenerateOidParams extends ClassSpace {
  /** The user's 96 bits: `lo` and the low 32 bits of `hi`; higher bits are dropped. */
  readonly user: ObjectId;
  /** `ObjectType` number. */
  readonly type: number;
  /** Class id; 0 or absent: automatic. */
  readonly classId?: number;
  /** `ClassHint` bits, for automatic selection. */
  readonly hints?: number;
}

/**
 * Encodes object type, class and resolved group count into a user's object id; from then on the id alone decides the
 * layout. Throws DER_INVAL as `objectClassFit` does, and for an unknown object type.
 */
export function generateOid(params: GenerateOidParams): ObjectId {
  if (!objectTypeIsValid(params.type)) throw new DaosError('INVAL', `unknown object type ${params.type}`);
  const { redundancy, groupField } = objectClassFit(params.type, params.classId ?? 0, params.hints ?? 0, params);
  return objectIdEncode(params.user, params.type, redundancy, groupField);
}

/** Builds an object id from its parts, unchecked. */
export function objectIdEncode(user: ObjectId, type: number, redundancy: number, groupField: number): ObjectId {
  const upper = (BigInt(type) << 56n) | (BigInt(redundancy) << 48n) | (BigInt(Math.min(groupField, GROUPS_MAX)) << 32n);
  return { hi: upper | (user.hi & 0xffff_ffffn), lo: user.lo };
}

/** Object type of an id (may be an unknown number). */
export function objectIdType(oid: ObjectId): number {
  return Number(oid.hi >> 56n);
}

/** Class id of an object id. */
export function objectIdClassId(oid: ObjectId): number {
  const upper = Number((oid.hi >> 32n) & 0xff_ffffn);
  return Math.trunc(upper / 65536) * 2 ** 24 + (upper & 0xffff);
}

/** Class of an object id. Throws DER_INVAL when the id names none. */
export function objectIdClass(oid: ObjectId): ObjectClass {
  const id = objectIdClassId(oid);
  const found = objectClassById(id);
  if (!found) throw new DaosError('INVAL', `object ${oid.hi}.${oid.lo} has the unknown class id ${id}`);
  return found;
}

/**
 * Checks what opening an object checks: that its class survives as many failures as its container demands (`rd_fac`).
 * Throws DER_INVAL when it does not, or when the id names no class.
 */
export function objectIdCheckRedundancy(oid: ObjectId, redundancyFactor: number): void {
  const { name, allowedFailures } = objectIdClass(oid);
  if (allowedFailures >= redundancyFactor) return;
  throw new DaosError('INVAL', `object class ${name} survives ${allowedFailures} failures, the container demands ${redundancyFactor} (rd_fac)`);
}

/** Next user part of `hi` in a walk that visits all 2^32 values. */
export function objectIdCycle(oid: ObjectId): ObjectId {
  return { hi: (oid.hi + 999_999_937n) & 0xffff_ffffn, lo: oid.lo };
}
