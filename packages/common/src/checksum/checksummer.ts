import { DaosError } from '../error.js';
import type { Iod } from '../io.js';
import type { ChecksumAlgorithm } from './algorithm.js';
import { checksumChunkRecords } from './chunk.js';
import type { IoMap } from './io_map.js';
import { bytesEqualAt, iodChecksums, iodChecksumsVerify, keyChecksum, knownAlgorithm, type IodChecksums } from './iod_checksums.js';
import type { Value } from './scattered.js';

/** What a checksummer leaves out: it then answers "no checksum", or verifies without looking. */
export interface ChecksumSkips {
  readonly keyCompute?: boolean;
  readonly keyVerify?: boolean;
  readonly dataVerify?: boolean;
}

/** Checksums of one descriptor: of its akey and of its value; absent where skipped or off. */
export interface DescriptorChecksums {
  readonly akey: Uint8Array | undefined;
  readonly data: IodChecksums | undefined;
}

const NO_SKIPS: ChecksumSkips = {};

/** The checksums of one container: computes and verifies them for keys and values. Has no state beside its settings. */
export class Checksummer {
  readonly algorithm: ChecksumAlgorithm;
  private readonly scratch: Uint8Array;

  /** Throws DER_INVAL for `off`, for an unknown type and for a chunk size that is not positive. */
  constructor(readonly type: number, readonly chunkBytes: number, private readonly skips: ChecksumSkips = NO_SKIPS) {
    this.algorithm = knownAlgorithm(type);
    if (!(chunkBytes > 0)) throw new DaosError('INVAL', `checksums of chunks of ${chunkBytes} bytes`);
    this.scratch = new Uint8Array(this.algorithm.length);
  }

  /** Records of one chunk. */
  chunkRecords(recordSize: number): number {
    return checksumChunkRecords(this.chunkBytes, recordSize);
  }

  /** Checksum of a dkey or akey; undefined when keys are skipped. */
  key(key: Uint8Array): Uint8Array | undefined {
    return this.skips.keyCompute ? undefined : keyChecksum(this.type, key);
  }

  /** Checksums of a value, as `iodChecksums`. */
  value(iod: Iod, value: Value, map?: IoMap): IodChecksums | undefined {
    return iodChecksums(this.type, this.chunkBytes, iod, value, map);
  }

  /** Checksums of a descriptor's akey and value. */
  descriptor(iod: Iod, value: Value, map?: IoMap): DescriptorChecksums {
    return { akey: this.key(iod.akey), data: this.value(iod, value, map) };
  }

  /** True when the digest of `data[from, to)` stands in `expected` at `at`. */
  matches(data: Uint8Array, expected: Uint8Array, at = 0, from = 0, to = data.length): boolean {
    this.algorithm.digest(data, this.scratch, 0, from, to);
    return bytesEqualAt(this.scratch, expected, at);
  }

  /** Throws DER_CSUM unless `checksum` is the key's; `what` names the key. One without a checksum passes. */
  verifyKey(key: Uint8Array, checksum: Uint8Array | undefined, what: string): void {
    if (this.skips.keyVerify || checksum === undefined) return;
    if (checksum.length !== this.algorithm.length || !this.matches(key, checksum)) {
      throw new DaosError('CSUM', `a ${what} was changed on its way`);
    }
  }

  /** Throws DER_CSUM unless `checksums` are this container's and the value's; `what` names the value. */
  verifyValue(iod: Iod, value: Value, checksums: IodChecksums, what?: string, map?: IoMap): void {
    if (this.skips.dataVerify) return;
    if (checksums.type !== this.type || checksums.chunkBytes !== this.chunkBytes) {
      throw new DaosError('CSUM', `${what ?? 'value'}: checksums of type ${checksums.type}, the container has ${this.type}`);
    }
    iodChecksumsVerify(iod, value, checksums, what, map);
  }
}
