import { DaosError } from '../error.js';

/** Checksum types as container property `cksum` numbers them. */
export const ChecksumType = {
  OFF: 0,
  CRC16: 1,
  CRC32: 2,
  CRC64: 3,
  SHA1: 4,
  SHA256: 5,
  SHA512: 6,
  ADLER32: 7,
} as const;

/** Names in the order of the numbers. */
export const CHECKSUM_TYPE_NAMES: readonly string[] = [
  'off', 'crc16', 'crc32', 'crc64', 'sha1', 'sha256', 'sha512', 'adler32',
];

/** A value that property `cksum` can have; `off` is one. */
export function checksumTypeIsValid(type: number): boolean {
  return CHECKSUM_TYPE_NAMES[type] !== undefined;
}

/** A type that gives checksums: valid and not `off`. */
export function checksumTypeIsEnabled(type: number): boolean {
  return type !== ChecksumType.OFF && checksumTypeIsValid(type);
}

/** Type of a value of property `cksum`. Throws DER_INVAL for one that no version has written. */
export function checksumTypeOfProperty(value: bigint): number {
  const type = Number(value);
  if (!checksumTypeIsValid(type)) throw new DaosError('INVAL', `property cksum has the unknown value ${value}`);
  return type;
}

/** Value of property `cksum` for a type. Throws DER_INVAL for an unknown type. */
export function checksumTypeToProperty(type: number): bigint {
  if (!checksumTypeIsValid(type)) throw new DaosError('INVAL', `unknown checksum type ${type}`);
  return BigInt(type);
}
