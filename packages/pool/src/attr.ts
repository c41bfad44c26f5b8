import { DaosError } from '@daos/common';

/** Longest attribute name, in bytes. */
export const ATTR_NAME_MAX = 511;

/** DER_INVAL unless every name has 1..511 bytes and no NUL, and there is at least one. */
export function checkAttrNames(names: readonly string[]): void {
  if (names.length === 0) throw new DaosError('INVAL', 'no attribute is named');
  for (const name of names) {
    const length = Buffer.byteLength(name);
    if (length === 0) throw new DaosError('INVAL', 'an attribute name must not be empty');
    if (length > ATTR_NAME_MAX)
      throw new DaosError('INVAL', `an attribute name has at most ${ATTR_NAME_MAX} bytes, got ${length}`);
    if (name.includes('\0')) throw new DaosError('INVAL', 'an attribute name must not contain NUL');
  }
}

/** DER_INVAL for a bad name or an empty value. */
export function checkAttrs(attrs: readonly { readonly name: string; readonly value: Uint8Array }[]): void {
  checkAttrNames(attrs.map(({ name }) => name));
  for (const { name, value } of attrs) {
    if (value.length === 0)
      throw new DaosError('INVAL', `the value of attribute "${name}" must not be empty`);
  }
}
