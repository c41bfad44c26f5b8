import { objectTypeFlavours, type ObjectId, type ObjectKeyFlavours } from '@daos/common';

/** Upper 32 bits of an object id's `hi`: type (8 bits), redundancy code (8), group count (16). */
export function objectIdClassBits(oid: ObjectId): number {
  return Number(oid.hi >> 32n);
}

/** Flavours of an object's keys; undefined when the type in its id is unknown. */
export function keyFlavours(oid: ObjectId): ObjectKeyFlavours | undefined {
  return objectTypeFlavours(objectIdClassBits(oid) >>> 24);
}
