import { Checksummer, setCrc32Implementation, setDigestKernel } from '@daos/common';
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

const checksummers = new WeakMap<ContChecksum, Checksummer>();

/** The checksummer of a container's settings, made once. Throws DER_INVAL for a type that this version does not know. */
export function checksummerOf(settings: ContChecksum): Checksummer {
  let known = checksummers.get(settings);
  if (!known) checksummers.set(settings, (known = new Checksummer(settings.type, settings.chunkBytes)));
  return known;
}
