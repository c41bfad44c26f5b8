import { DaosError } from '@daos/common';

/** Compatible features by name, one bit each, numbered as in DAOS. */
const COMPAT_BITS: Readonly<Record<string, bigint>> = {
  immutable: 1n << 0n,
  skip_start: 1n << 1n,
  skip_rebuild: 1n << 2n,
  skip_dtx_resync: 1n << 3n,
};

/** Bits of names with commas between them. DER_INVAL for an unknown one. */
export function featureFlags(names: string): bigint {
  let flags = 0n;
  for (const name of names.split(',')) {
    const bit = Object.hasOwn(COMPAT_BITS, name) ? COMPAT_BITS[name] : undefined;
    if (bit === undefined) {
      throw new DaosError('INVAL', `unknown feature "${name}"; there are ${Object.keys(COMPAT_BITS).join(', ')}`);
    }
    flags |= bit;
  }
  return flags;
}

/** Names of the bits, in brackets; nothing for none. */
export function featureNames(flags: bigint): string {
  const names = Object.entries(COMPAT_BITS).flatMap(([name, bit]) => ((flags & bit) === 0n ? [] : [name]));
  return names.length === 0 ? '' : ` (${names.join(',')})`;
}
