import { DaosError, isUuid, objectIdToString, type UnitOid, type Uuid } from '@daos/common';

import { keyFormat, keyParse } from './key_text.js';

/** Levels of a path, outermost first. */
export const PATH_LEVELS = ['container', 'object', 'dkey', 'akey', 'extent'] as const;
export type PathLevel = (typeof PATH_LEVELS)[number];

/** A part of a path: a name, or the place in a listing of what is above it. */
export type PathPart =
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'container'; readonly uuid: Uuid }
  | { readonly kind: 'object'; readonly oid: UnitOid }
  | { readonly kind: 'key'; readonly key: Uint8Array }
  | { readonly kind: 'extent'; readonly lo: bigint; readonly hi: bigint };

/** A path into a shard: the parts of the levels from the container down. */
export type TreePath = readonly PathPart[];

const INDEX_MAX = (1n << 64n) - 1n;

/**
 * Parses `/<container uuid>/<hi.lo.shard.layout>/<dkey>/<akey>/{lo-hi}`, of which any part may be an index `[n]`
 * and any number of parts may be missing at the end. DER_INVAL names the part that is wrong.
 */
export function treePathParse(text: string): TreePath {
  const parts = splitParts(text);
  if (parts.length > PATH_LEVELS.length) {
    throw new DaosError('INVAL', `path "${text}" has ${parts.length} parts; ${PATH_LEVELS.join('/')} are all there are`);
  }
  return parts.map((part, level) => partParse(part, PATH_LEVELS[level] as PathLevel));
}

/** Text that `treePathParse` turns into the same path. */
export function treePathFormat(path: TreePath): string {
  return `/${path.map(partFormat).join('/')}`;
}

/** Text of an object shard: `hi.lo.shard.layout`. */
export function unitOidFormat({ oid, shard, layoutVersion }: UnitOid): string {
  return `${objectIdToString(oid)}.${shard}.${layoutVersion}`;
}

function partFormat(part: PathPart): string {
  switch (part.kind) {
    case 'index':
      return `[${part.index}]`;
    case 'container':
      return part.uuid;
    case 'object':
      return unitOidFormat(part.oid);
    case 'key':
      return keyFormat(part.key);
    case 'extent':
      return `{${part.lo}-${part.hi}}`;
  }
}

/** Splits at slashes that no backslash escapes. Repeated ones count as one. */
function splitParts(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '/') {
      if (part !== '') parts.push(part);
      part = '';
      continue;
    }
    part += char;
    if (char === '\\' && at + 1 < text.length) part += text.charAt(++at);
  }
  if (part !== '') parts.push(part);
  return parts;
}

function partParse(text: string, level: PathLevel): PathPart {
  const index = /^\[(\d+)\]$/.exec(text)?.[1];
  if (index !== undefined) {
    if (!Number.isSafeInteger(Number(index))) throw new DaosError('INVAL', `index ${text} of the ${level} is too large`);
    return { kind: 'index', index: Number(index) };
  }
  switch (level) {
    case 'container':
      return containerParse(text);
    case 'object':
      return objectParse(text);
    case 'dkey':
    case 'akey':
      return { kind: 'key', key: keyParse(text) };
    case 'extent':
      return extentParse(text);
  }
}

function containerParse(text: string): PathPart {
  if (!isUuid(text)) throw new DaosError('INVAL', `invalid container "${text}": expected its UUID or an index [n]`);
  return { kind: 'container', uuid: text.toLowerCase() };
}

function objectParse(text: string): PathPart {
  const match = /^(\d{1,20})\.(\d{1,20})\.(\d{1,10})\.(\d{1,5})$/.exec(text);
  const [hi = -1n, lo = -1n, shard = -1n, layout = -1n] = match?.slice(1).map(BigInt) ?? [];
  const fits = match && hi <= INDEX_MAX && lo <= INDEX_MAX && shard <= 0xffff_ffffn && layout <= 0xffffn;
  if (!fits) throw new DaosError('INVAL', `invalid object "${text}": expected HI.LO.SHARD.LAYOUT or an index [n]`);
  return { kind: 'object', oid: { oid: { hi, lo }, shard: Number(shard), layoutVersion: Number(layout) } };
}

function extentParse(text: string): PathPart {
  const match = /^\{(\d{1,20})-(\d{1,20})\}$/.exec(text);
  const [lo = 1n, hi = 0n] = match?.slice(1).map(BigInt) ?? [];
  if (!match || lo > hi || hi > INDEX_MAX) {
    throw new DaosError('INVAL', `invalid extent "${text}": expected {FIRST-LAST} or an index [n]`);
  }
  return { kind: 'extent', lo, hi };
}
