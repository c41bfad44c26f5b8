import { DaosError, type DerName, type Uuid } from '@daos/common';

import { PATH_LEVELS, treePathFormat, treePathParse, unitOidFormat, type PathLevel, type TreePath } from './path/tree_path.js';
import { keyFormat } from './path/key_text.js';
import type { AkeyPlace, DdbPool, DkeyPlace, ExtentPlace, LogPlace, ObjectPlace } from './pool/ddb_pool.js';

/** Where a path leads: the levels that it has. */
export type Place = Partial<ExtentPlace>;

/**
 * Follows a path: indices become what stands at them. DER_INVAL when the container is not there, `missing` when
 * nothing stands at an index. Other names are taken as they are.
 */
export function placeOf(pool: DdbPool, text: string, missing: DerName = 'NONEXIST'): Place {
  const path = treePathParse(text);
  let place: Place = {};
  for (let level = 0; level < path.length; level++) place = step(pool, place, path, level, missing);
  return place;
}

function step(pool: DdbPool, place: Place, path: TreePath, level: number, missing: DerName): Place {
  const part = path[level];
  switch (part?.kind) {
    case 'container':
      for (const uuid of pool.containers()) if (uuid === part.uuid) return { container: uuid };
      throw new DaosError('INVAL', `invalid container: ${part.uuid} is not in pool ${pool.uuid}`);
    case 'object':
      return { ...place, oid: part.oid };
    case 'key':
      return PATH_LEVELS[level] === 'dkey' ? { ...place, dkey: part.key } : { ...place, akey: part.key };
    case 'extent':
      return { ...place, lo: part.lo, hi: part.hi };
    case 'index': {
      const found = stepTo(pool, place, part.index);
      if (found) return found;
      const what = `${PATH_LEVELS[level]} [${part.index}] of ${treePathFormat(path.slice(0, level))}`;
      throw new DaosError(missing, `there is no ${what}`);
    }
    case undefined:
      return place;
  }
}

/** What stands at an index below a place. A single value stands at [0]. */
function stepTo(pool: DdbPool, place: Place, index: number): Place | undefined {
  let at = 0;
  for (const child of childrenOf(pool, place)) if (at++ === index) return child;
  return undefined;
}

/** The places right below a place. */
export function* childrenOf(pool: DdbPool, place: Place): Iterable<Place> {
  if (hasExtent(place)) return;
  if (hasAkey(place)) {
    for (const value of pool.values(place)) yield value.kind === 'array' ? { ...place, lo: value.lo, hi: value.hi } : place;
  } else if (hasDkey(place)) {
    for (const akey of pool.akeys(place)) yield { ...place, akey };
  } else if (hasObject(place)) {
    for (const dkey of pool.dkeys(place)) yield { ...place, dkey };
  } else if (hasContainer(place)) {
    for (const oid of pool.objects(place.container)) yield { ...place, oid };
  } else {
    for (const container of pool.containers()) yield { container };
  }
}

/** A place as a path of names. */
export function placeFormat(place: Place): string {
  const { container, oid, dkey, akey, lo, hi } = place;
  const parts = [container, oid && unitOidFormat(oid), dkey && keyFormat(dkey), akey && keyFormat(akey)];
  if (lo !== undefined) parts.push(`{${lo}-${hi}}`);
  return `/${parts.filter((part) => part !== undefined).join('/')}`;
}

export function hasContainer(place: Place): place is Place & { container: Uuid } {
  return place.container !== undefined;
}

export function hasObject(place: Place): place is Place & ObjectPlace {
  return place.container !== undefined && place.oid !== undefined;
}

export function hasDkey(place: Place): place is Place & DkeyPlace {
  return hasObject(place) && place.dkey !== undefined;
}

export function hasAkey(place: Place): place is Place & AkeyPlace {
  return hasDkey(place) && place.akey !== undefined;
}

export function hasExtent(place: Place): place is ExtentPlace {
  return hasAkey(place) && place.lo !== undefined && place.hi !== undefined;
}

/** DER_INVAL unless the path is that of a container and nothing below. */
export function containerPlace(pool: DdbPool, path: string | undefined): Uuid {
  const place = placeOf(pool, required(path, 'container'));
  if (!hasContainer(place) || hasObject(place)) throw wrongDepth(place, 'a container');
  return place.container;
}

/** DER_INVAL unless the path is that of an object, dkey or akey. */
export function logPlace(pool: DdbPool, path: string | undefined): LogPlace {
  const place = placeOf(pool, required(path, 'object, dkey or akey'));
  if (!hasObject(place) || hasExtent(place)) throw wrongDepth(place, 'an object, a dkey or an akey');
  return place;
}

/** DER_INVAL unless the path leads to a value: a single value's akey, or an extent of an array. */
export function valuePlace(pool: DdbPool, path: string | undefined): AkeyPlace | ExtentPlace {
  const place = placeOf(pool, required(path, 'value'));
  if (!hasAkey(place)) throw incomplete(place, 'akey');
  if (!hasExtent(place) && pool.valueKind(place) === 'array') throw incomplete(place, 'extent');
  if (hasExtent(place) && pool.valueKind(place) === 'single') {
    throw new DaosError('INVAL', `${placeFormat(place)}: this akey has a single value and no extents`);
  }
  return place;
}

export function incomplete(place: Place, level: PathLevel): DaosError {
  return new DaosError('INVAL', `incomplete path ${placeFormat(place)}: it must go down to the ${level}`);
}

export function required(argument: string | undefined, what: string): string {
  if (argument === undefined || argument === '') throw new DaosError('INVAL', `give the path of ${what}`);
  return argument;
}

function wrongDepth(place: Place, wanted: string): DaosError {
  return new DaosError('INVAL', `${placeFormat(place)} is not ${wanted}`);
}
