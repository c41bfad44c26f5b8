import type { KeyFlavour } from './io.js';

/** Object types (DAOS_OT_*): how the keys of an object order, and what is built on it. */
export const ObjectType = {
  MULTI_HASHED: 0,
  OIT: 1,
  DKEY_UINT64: 2,
  AKEY_UINT64: 3,
  MULTI_UINT64: 4,
  DKEY_LEXICAL: 5,
  AKEY_LEXICAL: 6,
  MULTI_LEXICAL: 7,
  KV_HASHED: 8,
  KV_UINT64: 9,
  KV_LEXICAL: 10,
  ARRAY: 11,
  ARRAY_ATTR: 12,
  ARRAY_BYTE: 13,
  OIT_V2: 14,
} as const;

export const OBJECT_TYPE_MAX = 14;

/** Flavours of the keys of one object type. */
export interface ObjectKeyFlavours {
  readonly dkey: KeyFlavour;
  readonly akey: KeyFlavour;
}

const FLAVOURS: readonly ObjectKeyFlavours[] = [
  { dkey: 'hashed', akey: 'hashed' },
  { dkey: 'hashed', akey: 'hashed' },
  { dkey: 'uint64', akey: 'hashed' },
  { dkey: 'hashed', akey: 'uint64' },
  { dkey: 'uint64', akey: 'uint64' },
  { dkey: 'lexical', akey: 'hashed' },
  { dkey: 'hashed', akey: 'lexical' },
  { dkey: 'lexical', akey: 'lexical' },
  { dkey: 'hashed', akey: 'hashed' },
  { dkey: 'uint64', akey: 'hashed' },
  { dkey: 'lexical', akey: 'hashed' },
  { dkey: 'uint64', akey: 'hashed' },
  { dkey: 'uint64', akey: 'hashed' },
  { dkey: 'uint64', akey: 'hashed' },
  { dkey: 'hashed', akey: 'hashed' },
];

export function objectTypeIsValid(type: number): boolean {
  return Number.isInteger(type) && type >= 0 && type <= OBJECT_TYPE_MAX;
}

/** How keys of an object of this type compare; undefined for an unknown type. */
export function objectTypeFlavours(type: number): ObjectKeyFlavours | undefined {
  return FLAVOURS[type];
}

/** True for the array types, whose dkeys are chunk numbers. */
export function objectTypeIsArray(type: number): boolean {
  return type >= ObjectType.ARRAY && type <= ObjectType.ARRAY_BYTE;
}

/** True for the flat key-value types. */
export function objectTypeIsKv(type: number): boolean {
  return type >= ObjectType.KV_HASHED && type <= ObjectType.KV_LEXICAL;
}

/** True when dkeys are 8-byte little-endian numbers. */
export function objectTypeHasIntegerDkeys(type: number): boolean {
  return FLAVOURS[type]?.dkey === 'uint64';
}

/** True when the values of an object hang directly below its dkeys. */
export function objectTypeIsFlat(type: number): boolean {
  return objectTypeIsArray(type) || objectTypeIsKv(type);
}
