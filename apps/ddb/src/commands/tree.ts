import { objectIdType, objectTypeFlavours, type KeyFlavour } from '@daos/common';

import type { DdbCommand } from '../command.js';
import { keyFormat } from '../path/key_text.js';
import { unitOidFormat } from '../path/tree_path.js';
import {
  childrenOf,
  hasAkey,
  hasContainer,
  hasDkey,
  hasExtent,
  hasObject,
  placeFormat,
  placeOf,
  required,
  type Place,
} from '../place.js';
import type { AkeyPlace, DdbPool, DdbValue, ValueKind } from '../pool/ddb_pool.js';
import type { Session } from '../session.js';
import { DaosError } from '@daos/common';

interface LsOptions {
  readonly isRecursive: boolean;
  readonly withDetails: boolean;
}

const KIND_MARKS: Readonly<Record<ValueKind, string>> = { none: '', single: ' (SV)', array: ' (ARRAY)' };

const ls: DdbCommand = {
  name: 'ls',
  description: 'list containers, objects, dkeys, akeys or values',
  args: ['[path]'],
  options: [
    { flags: '-r, --recursive', description: 'also what is below' },
    { flags: '-d, --details', description: 'more of each item' },
  ],
  run(session, { args: [path = ''], options }) {
    const place = placeOf(session.pool, path);
    session.print(placeFormat(place));
    const count = list(session, place, 0, { isRecursive: options['recursive'] === true, withDetails: options['details'] === true });
    if (count === 0 && hasObject(place)) throw new DaosError('NONEXIST', `nothing is at ${placeFormat(place)}`);
  },
};

const rm: DdbCommand = {
  name: 'rm',
  description: 'remove a container, object, dkey, akey or value, with all below it',
  args: ['[path]'],
  modifies: true,
  async run(session, { args: [path] }) {
    const place = placeOf(session.pool, required(path, 'what to remove'));
    if (!hasContainer(place)) throw new DaosError('INVAL', 'the whole shard is removed with rm_pool');
    await session.pool.remove(place);
    session.print(`removed ${placeFormat(place)}`);
  },
};

export const TREE_COMMANDS: readonly DdbCommand[] = [ls, rm];

/** Prints what is right below a place; the result is how much that is. */
function list(session: Session, place: Place, depth: number, options: LsOptions): number {
  const { pool } = session;
  const indent = '  '.repeat(depth);
  if (hasAkey(place)) {
    let count = 0;
    for (const value of pool.values(place)) {
      if (hasExtent(place) && !(value.kind === 'array' && value.lo <= place.hi && value.hi >= place.lo)) continue;
      session.print(`${indent}[${count++}] ${valueText(value)}`);
    }
    return count;
  }
  let count = 0;
  for (const child of childrenOf(pool, place)) {
    session.print(`${indent}[${count++}] ${nameText(pool, child, options.withDetails)}`);
    if (options.isRecursive) list(session, child, depth + 1, options);
  }
  return count;
}

function nameText(pool: DdbPool, place: Place, withDetails: boolean): string {
  const path = withDetails ? ` ${placeFormat(place)}` : '';
  if (hasAkey(place)) return `${keyText(place.akey, flavours(place).akey)}${KIND_MARKS[pool.valueKind(place)]}${path}`;
  if (hasDkey(place)) return `${keyText(place.dkey, flavours(place).dkey)}${path}`;
  if (hasObject(place)) {
    const type = withDetails ? ` (type: ${objectIdType(place.oid.oid)})` : '';
    return `'${unitOidFormat(place.oid)}'${type}${path}`;
  }
  return `${place.container ?? ''}${path}`;
}

function keyText(key: Uint8Array, flavour: KeyFlavour): string {
  const text = keyFormat(key, flavour);
  return text.startsWith('{') ? text : `'${text}' (${key.length})`;
}

function flavours({ oid }: Pick<AkeyPlace, 'oid'>): { dkey: KeyFlavour; akey: KeyFlavour } {
  return objectTypeFlavours(objectIdType(oid.oid)) ?? { dkey: 'hashed', akey: 'hashed' };
}

export function valueText(value: DdbValue): string {
  if (value.kind === 'single') return `Single Value (Length: ${value.size} bytes, Epoch: ${value.epoch})`;
  const { lo, hi, recordSize, epoch } = value;
  return `Array Value (Length: ${hi - lo + 1n} records, Record Indexes: {${lo}-${hi}}, Record Size: ${recordSize}, Epoch: ${epoch})`;
}
