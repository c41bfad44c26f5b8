/**
 * Goes on with a checksum over `data`, in place in `state`. By `ChecksumType` number, the words of the state are: crc64 the
 * low and high word of its register, adler32 its packed sums, sha1 and sha256 the words of sixteen lanes, word 0 of all
 * lanes first; the latter are given whole blocks of 1024 bytes.
 */
export type DigestKernel = (type: number, state: Int32Array, data: Uint8Array) => void;

/** Below, the way into native code costs more than it gains. */
const KERNEL_BYTES_MIN = 512;

let installed: DigestKernel | undefined;

/** Computes crc64, adler32, sha1 and sha256 of this thread with faster code; undefined goes back to this package's own. */
export function setDigestKernel(kernel: DigestKernel | undefined): void {
  installed = kernel;
}

/** The faster code, where there is one and so many bytes are worth it. */
export function kernelFor(bytes: number): DigestKernel | undefined {
  return bytes >= KERNEL_BYTES_MIN ? installed : undefined;
}
