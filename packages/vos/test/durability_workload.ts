import type { VosContainer } from '../src/index.js';
import { HASHED, array, bytes, single, unitOid } from './fixture.js';

/**
 * Update number n, the same in the process that writes it and in the one that checks it: at epoch n it writes a single
 * value and an extent under one dkey, both telling n. Some are so large that they go to the data file.
 */
export const KEYS = 40;

export function dkeyOf(n: number): Buffer {
  return bytes(`key ${n % KEYS}`);
}

export function valueOf(n: number): Buffer {
  const size = [16, 100, 900, 3000, 4096, 9000, 20_000][n % 7] as number;
  const value = Buffer.alloc(size);
  for (let at = 0; at + 8 <= size; at += 8) value.writeDoubleLE(n, at);
  return value;
}

/** Punches of the dkey in between, so that logs grow, too. */
export function isPunch(n: number): boolean {
  return n % 29 === 0;
}

export function apply(container: VosContainer, n: number): Promise<void> {
  const common = { oid: unitOid(1), flavours: HASHED, epoch: BigInt(n), flags: 0, dkey: dkeyOf(n) };
  if (isPunch(n)) return container.punch(common);
  const value = valueOf(n);
  const iods = [single(bytes('single'), value.length), array(bytes('array'), 1, [0, value.length])];
  return container.update({ ...common, iods, values: [value, value] });
}
