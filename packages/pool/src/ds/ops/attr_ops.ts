import { DaosError } from '@daos/common';
import { rdbStringKey, type RdbPath, type RdbTx } from '@daos/rdb';

import { checkAttrNames, checkAttrs } from '../../attr.js';

export interface Attr {
  readonly name: string;
  readonly value: Uint8Array;
}

/* Attributes live in a KVS: name with its NUL -> value. Pools and containers have one each. */

/** DER_INVAL for a bad name or value. */
export function attrsSet(tx: RdbTx, path: RdbPath, attrs: readonly Attr[]): void {
  checkAttrs(attrs);
  for (const { name, value } of attrs) tx.update(path, rdbStringKey(name), value);
}

/** One value per name, undefined for an absent one; DER_NONEXIST when all are absent. */
export function attrsGet(tx: RdbTx, path: RdbPath, names: readonly string[]): (Uint8Array | undefined)[] {
  checkAttrNames(names);
  const values = names.map((name) => tx.lookup(path, rdbStringKey(name)));
  if (values.every((value) => value === undefined)) throw noneOf(names);
  return values;
}

export function attrsList(tx: RdbTx, path: RdbPath): string[] {
  return [...tx.iterate(path)].map(({ key }) => Buffer.from(key).toString('utf8', 0, key.length - 1));
}

/** Absent names are passed over; DER_NONEXIST when all are absent. */
export function attrsDel(tx: RdbTx, path: RdbPath, names: readonly string[]): void {
  checkAttrNames(names);
  const present = names.filter((name) => tx.lookup(path, rdbStringKey(name)));
  if (present.length === 0) throw noneOf(names);
  for (const name of present) tx.delete(path, rdbStringKey(name));
}

function noneOf(names: readonly string[]): DaosError {
  const quoted = names
    .slice(0, 3)
    .map((name) => `"${name}"`)
    .join(', ');
  return new DaosError('NONEXIST', `there is no attribute ${quoted}${names.length > 3 ? ' ...' : ''}`);
}
