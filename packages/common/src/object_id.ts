import { DaosError } from './error.js';

/** 128-bit object id. The upper 32 bits of `hi` belong to DAOS (type, class), the rest to the user. */
export interface ObjectId {
  readonly hi: bigint;
  readonly lo: bigint;
}

/** One shard of an object as VOS stores it. */
export interface UnitOid {
  readonly oid: ObjectId;
  readonly shard: number;
  readonly layoutVersion: number;
}

/** `hi.lo` in decimal, as DAOS prints object ids. */
export function objectIdToString(oid: ObjectId): string {
  return `${oid.hi}.${oid.lo}`;
}

/** Parses `hi.lo`. Throws DER_INVAL when the text is anything else or a half exceeds 64 bits. */
export function objectIdParse(text: string): ObjectId {
  const match = /^(\d{1,20})\.(\d{1,20})$/.exec(text);
  const hi = match?.[1] === undefined ? -1n : BigInt(match[1]);
  const lo = match?.[2] === undefined ? -1n : BigInt(match[2]);
  if (hi < 0n || hi >> 64n !== 0n || lo >> 64n !== 0n) {
    throw new DaosError('INVAL', `"${text}" is not an object id; expected HI.LO, two unsigned 64-bit decimals`);
  }
  return { hi, lo };
}

export function objectIdEquals(a: ObjectId, b: ObjectId): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}

/** Whether an id is all zero, which names no object. */
export function objectIdIsNil(oid: ObjectId): boolean {
  return oid.hi === 0n && oid.lo === 0n;
}
