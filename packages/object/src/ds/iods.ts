import { DaosError, IodType, type Checksummer, type Iod, type Recx } from '@daos/common';
import type { IodChecksums } from '@daos/vos';

import { checksummerOf } from '../checksum.js';
import { iodRecords, valueChecksumCount } from '../chunks.js';
import { IODS_MAX, type ObjIod, type ObjUpdateIn } from '../rpc.js';
import { checkKey, type Admitted } from './target.js';

const INDEX_END = 1n << 63n;

/** Descriptors as VOS takes them. Throws DER_INVAL for one that no client library would send. */
export function iodsOf(input: ObjUpdateIn, admitted: Admitted): Iod[] {
  const { iods } = input;
  if (iods.length > IODS_MAX) throw new DaosError('INVAL', `${iods.length} descriptors in one request`);
  checkKey(input.dkey, admitted.flavours.dkey, 'dkey');
  const out: Iod[] = [];
  for (const iod of iods) {
    checkKey(iod.akey, admitted.flavours.akey, 'akey');
    if (iod.size < 0) throw new DaosError('INVAL', `negative value size ${iod.size}`);
    out.push({ akey: iod.akey, type: typeOf(iod), size: iod.size, recxs: recxsOf(iod), flags: iod.flags });
  }
  return out;
}

function typeOf(iod: ObjIod): IodType {
  if (iod.type === IodType.SINGLE || iod.type === IodType.ARRAY) return iod.type;
  throw new DaosError('INVAL', `unknown value type ${iod.type}`);
}

const NO_RECXS: readonly Recx[] = [];

function recxsOf(iod: ObjIod): readonly Recx[] {
  const { recxs } = iod;
  if (iod.type === IodType.SINGLE) {
    if (recxs.length > 0) throw new DaosError('INVAL', 'a single value has no extents');
    return NO_RECXS;
  }
  if (recxs.length === 0 || recxs.length % 2 !== 0) throw new DaosError('INVAL', 'an array descriptor needs extents');
  const out: Recx[] = [];
  for (let i = 0; i < recxs.length; i += 2) {
    const idx = recxs[i] as bigint;
    const nr = recxs[i + 1] as bigint;
    if (nr === 0n || idx + nr > INDEX_END) throw new DaosError('INVAL', `extent {${idx},${nr}} is empty or out of range`);
    out.push({ idx, nr });
  }
  return out;
}

/** Bytes that follow the body for one descriptor of an update. */
function valueBytes(iod: Iod): number {
  return iod.type === IodType.SINGLE ? iod.size : iod.size * iodRecords(iod);
}

/** Cuts an update's bytes into one view per descriptor. DER_IO_INVAL when they do not fit the descriptors. */
export function valuesOf(iods: readonly Iod[], data: Uint8Array): Uint8Array[] {
  const only = iods[0];
  if (iods.length === 1 && only && valueBytes(only) === data.length) return [data];
  const values: Uint8Array[] = [];
  let at = 0;
  for (const iod of iods) {
    const length = valueBytes(iod);
    values.push(data.subarray(at, at + length));
    at += length;
  }
  if (at !== data.length) {
    throw new DaosError('IO_INVAL', `descriptors describe ${at} bytes, ${data.length} were sent`);
  }
  return values;
}

/**
 * Checksums to store with the values; undefined where they are off, or when the sender has none, which only a server
 * that does not verify takes. DER_CSUM when they are of another kind than the container's, too few, or, with server
 * verification, missing or not those of the data.
 */
export function checksumsOf(
  input: ObjUpdateIn, iods: readonly Iod[], values: readonly Uint8Array[], admitted: Admitted,
): (IodChecksums | undefined)[] | undefined {
  const expected = admitted.handle.checksum;
  if (!expected) return undefined;
  if (input.checksumType === 0) {
    if (expected.serverVerify) throw new DaosError('CSUM', 'an update without checksums for a container whose server verifies them');
    return undefined;
  }
  if (input.checksumType !== expected.type || input.checksumChunk !== expected.chunkBytes) {
    throw new DaosError('CSUM', `checksum type ${input.checksumType} with ${input.checksumChunk} byte chunks is not the container's`);
  }
  const { type, chunkBytes } = expected;
  const checksummer = checksummerOf(expected);
  const { length } = checksummer.algorithm;
  verifyKeys(input, checksummer);
  return iods.map((iod, i) => {
    const bytes = input.iods[i]?.checksums;
    if (iod.size === 0) return undefined;
    if (bytes?.length !== valueChecksumCount(chunkBytes, iod) * length) {
      throw new DaosError('CSUM', `checksums of value ${i} are missing or have a wrong length`);
    }
    const checksums = { type, chunkBytes, length, bytes };
    if (expected.serverVerify) checksummer.verifyValue(iod, values[i] as Uint8Array, checksums, `value ${i}`);
    return checksums;
  });
}

/** Checksums of keys are optional; those that were sent must match. */
export function verifyKeys(input: ObjUpdateIn, checksummer: Checksummer): void {
  checksummer.verifyKey(input.dkey, input.dkeyChecksum ?? undefined, 'dkey');
  for (const iod of input.iods) checksummer.verifyKey(iod.akey, iod.akeyChecksum ?? undefined, 'akey');
}
