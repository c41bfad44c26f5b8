import { Cond, DaosError, IodType, type Iod, type KeyFlavour, type Recx } from '@daos/common';

import { iodRecords } from '../chunks.js';
import type { DcObject } from './object.js';

/** Checks of arguments, made before anything is sent. */

const INDEX_END = 1n << 63n;
const LEXICAL_KEY_BYTES_MAX = 100;
/** A key travels inside the body of a message. */
const KEY_BYTES_MAX = 1024 * 1024;
const AKEY_CONDITIONS = Cond.AKEY_INSERT | Cond.AKEY_UPDATE | Cond.AKEY_FETCH;
const UPDATE_CONDITIONS = Cond.DKEY_INSERT | Cond.DKEY_UPDATE | Cond.AKEY_INSERT | Cond.AKEY_UPDATE | Cond.PER_AKEY;
const FETCH_CONDITIONS = Cond.DKEY_FETCH | Cond.AKEY_FETCH | Cond.PER_AKEY;

/** DER_INVAL for an empty key or an integer key that has not 8 bytes, DER_KEY2BIG for one that is too long. */
export function checkKey(key: Uint8Array, flavour: KeyFlavour, what: 'dkey' | 'akey'): void {
  const { length } = key;
  if (length === 0) throw new DaosError('INVAL', `empty ${what}`);
  if (flavour === 'uint64' && length !== 8) {
    throw new DaosError('INVAL', `this object's ${what}s are 64-bit integers of 8 bytes, got ${length} bytes`);
  }
  const max = flavour === 'lexical' ? LEXICAL_KEY_BYTES_MAX : KEY_BYTES_MAX;
  if (length > max) throw new DaosError('KEY2BIG', `${what} of ${length} bytes, at most ${max} are possible`);
}

export function checkDkey(obj: DcObject, dkey: Uint8Array): void {
  checkKey(dkey, obj.flavours.dkey, 'dkey');
}

export function checkAkey(obj: DcObject, akey: Uint8Array): void {
  checkKey(akey, obj.flavours.akey, 'akey');
}

/** DER_INVAL for descriptors or flags that do not fit an update, DER_REC2BIG when a value is too short. */
export function checkUpdate(
  obj: DcObject, dkey: Uint8Array, iods: readonly Iod[], values: readonly Uint8Array[], flags: number,
): void {
  obj.check(true);
  checkDkey(obj, dkey);
  checkFlags(flags, UPDATE_CONDITIONS, 'an update');
  checkIods(obj, iods);
  for (let i = 0; i < iods.length; i++) {
    const iod = iods[i] as Iod;
    const value = values[i];
    if (!value) throw new DaosError('INVAL', `descriptor ${i} has no value`);
    const length = iod.type === IodType.SINGLE ? iod.size : iod.size * iodRecords(iod);
    if (value.length < length) {
      throw new DaosError('REC2BIG', `descriptor ${i} describes ${length} bytes, its value has ${value.length}`);
    }
  }
}

/** DER_INVAL for descriptors or flags that do not fit a fetch, DER_REC2BIG when a buffer is too short. */
export function checkFetch(
  obj: DcObject, dkey: Uint8Array, iods: readonly Iod[], into: readonly (Uint8Array | undefined)[], flags: number,
): void {
  obj.check(false);
  checkDkey(obj, dkey);
  checkFlags(flags, FETCH_CONDITIONS, 'a fetch');
  checkIods(obj, iods);
  for (let i = 0; i < iods.length; i++) {
    const iod = iods[i] as Iod;
    const buffer = into[i];
    if (!buffer || iod.type !== IodType.ARRAY) continue;
    const length = iod.size * iodRecords(iod);
    if (buffer.length < length) {
      throw new DaosError('REC2BIG', `descriptor ${i} asks for ${length} bytes, its buffer has ${buffer.length}`);
    }
  }
}

/** Punches take only the punch condition. */
export function checkPunchFlags(flags: number): void {
  checkFlags(flags, Cond.PUNCH, 'a punch');
}

function checkFlags(flags: number, allowed: number, what: string): void {
  if ((flags & ~allowed) !== 0) throw new DaosError('INVAL', `condition flags 0x${flags.toString(16)} do not fit ${what}`);
  if ((flags & Cond.PER_AKEY) !== 0 && (flags & AKEY_CONDITIONS) !== 0) {
    throw new DaosError('INVAL', 'conditions per akey exclude akey conditions of the whole call');
  }
}

function checkIods(obj: DcObject, iods: readonly Iod[]): void {
  if (iods.length === 0) throw new DaosError('INVAL', 'no akey was given');
  for (const iod of iods) {
    checkAkey(obj, iod.akey);
    if (!(iod.size >= 0) || !Number.isSafeInteger(iod.size)) throw new DaosError('INVAL', `value size ${iod.size}`);
    if (iod.type === IodType.ARRAY) checkRecxs(iod.recxs);
    else if (iod.type !== IodType.SINGLE) throw new DaosError('INVAL', `value type ${iod.type}`);
    else if (iod.recxs.length > 0) throw new DaosError('INVAL', 'a single value has no extents');
  }
}

/** DER_INVAL for no extent, an empty one, one that reaches beyond index 2^63 - 1, or two that overlap. */
function checkRecxs(recxs: readonly Recx[]): void {
  if (recxs.length === 0) throw new DaosError('INVAL', 'an array descriptor needs at least one extent');
  let end = 0n;
  let ascending = true;
  for (const { idx, nr } of recxs) {
    if (nr <= 0n || idx < 0n) throw new DaosError('INVAL', `extent {${idx},${nr}} is empty or negative`);
    if (idx + nr > INDEX_END) throw new DaosError('INVAL', `extent {${idx},${nr}} reaches beyond index 2^63 - 1`);
    if (idx < end) ascending = false;
    end = idx + nr;
  }
  if (!ascending) checkOverlap(recxs);
}

function checkOverlap(recxs: readonly Recx[]): void {
  const sorted = [...recxs].sort((a, b) => (a.idx < b.idx ? -1 : a.idx > b.idx ? 1 : 0));
  let end = 0n;
  for (const { idx, nr } of sorted) {
    if (idx < end) throw new DaosError('INVAL', `extent {${idx},${nr}} overlaps another one of the same akey`);
    end = idx + nr;
  }
}
