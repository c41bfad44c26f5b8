import {
  Checksummer, DaosError, checksumAlgorithm, keyChecksum, setCrc32Implementation, setDigestKernel, type ChecksumAlgorithm,
} from '@daos/common';
import type { ContChecksum } from '@daos/container/rpc';
import { getLogger } from '@daos/gurt';
import { crc32c, digestUpdate } from '@daos/native';

/** The addon's checksums are two to twenty times as fast as what works without it. */
function useNativeChecksums(): void {
  try {
    crc32c(new Uint8Array(0));
  } catch (error) {
    getLogger('csum').info(`checksums are computed without the native addon: ${String(error)}`);
    return;
  }
  setCrc32Implementation((data, register) => ~crc32c(data, ~register >>> 0));
  setDigestKernel(digestUpdate);
}

useNativeChecksums();

/** Algorithm of a container's checksum type. Throws DER_INVAL for a type that this version does not know. */
export function algorithmOf(type: number): ChecksumAlgorithm {
  const algorithm = checksumAlgorithm(type);
  if (!algorithm) throw new DaosError('INVAL', `the container has the unknown checksum type ${type}`);
  return algorithm;
}

const checksummers = new WeakMap<ContChecksum, Checksummer>();

/** The checksummer of a container's settings, made once. Throws DER_INVAL for a type that this version does not know. */
export function checksummerOf(settings: ContChecksum): Checksummer {
  let known = checksummers.get(settings);
  if (!known) checksummers.set(settings, (known = new Checksummer(settings.type, settings.chunkBytes)));
  return known;
}

const scratch = Buffer.alloc(64);

/** True when the digest of `data` stands in `expected` at `at`. */
export function digestMatches(algorithm: ChecksumAlgorithm, data: Uint8Array, expected: Uint8Array, at: number): boolean {
  algorithm.digest(data, scratch, 0);
  for (let i = 0; i < algorithm.length; i++) if (scratch[i] !== expected[at + i]) return false;
  return true;
}

/** Checksum of a key for a message; undefined where checksums are off. */
export function keyChecksumOf(type: number, key: Uint8Array): Uint8Array | undefined {
  return type === 0 ? undefined : keyChecksum(type, key);
}
