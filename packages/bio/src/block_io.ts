/** Bytes for one place of a device: `buffers` back to back from `offset`. */
export interface WriteRun {
  readonly offset: number;
  readonly buffers: readonly Uint8Array[];
  readonly length: number;
}

/**
 * The device under a `BioFile`: the only layer that touches storage, so that tests can fail, tear or lose its writes.
 * Offsets and lengths are bytes. Failures are the system's errors (`code` such as EIO, ENOSPC), not `DaosError`s.
 */
export interface BlockIo {
  readonly path: string;
  /** Bytes of the file, or of the block device. */
  size(): Promise<number>;
  /** Makes a regular file this long (sparse). Does nothing on a block device. */
  resize(bytes: number): Promise<void>;
  /** Writes all runs in order, then makes everything written so far durable when `sync` is set. */
  write(runs: readonly WriteRun[], sync: boolean): Promise<void>;
  /** Fills `into`; the result is how many bytes there were before the end of the device. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** As `read`, but at once and only when no device has to be waited for: -1 otherwise. */
  readNow(offset: number, into: Uint8Array): number;
  close(): Promise<void>;
}
