import type { Epoch, Recx, UnitOid, Uuid } from '@daos/common';

import type { IodChecksums } from '../types.js';

/**
 * What the scrubber asks of its target: the pool's settings, the stored values, and what to do about corruption. The
 * scrubber itself touches neither VOS nor the network, and keeps nothing of a value across a wait but the value object.
 */
export interface ScrubSource {
  /** Read anew at each decision: settings may change while a pass runs. */
  settings(): ScrubSettings;
  /** The pool or the engine is about to stop: a pass ends as soon as it notices. */
  isStopping(): boolean;
  /** No client I/O keeps this target busy. */
  isIdle(): boolean;
  /** Every container has loaded its properties, so that its checksum settings are known. */
  isLoaded(): boolean;
  containers(): Iterable<Uuid> | AsyncIterable<Uuid>;
  /** Takes a reference, which keeps the container from being destroyed (DER_BUSY); undefined when it is gone. */
  openContainer(uuid: Uuid): ScrubContainer | undefined | Promise<ScrubContainer | undefined>;
  /** Raises the event POOL_CORRUPTION_DETECTED, and counts a media checksum error when the value lies on NVMe. */
  corruptionDetected(container: Uuid, value: ScrubValue): void;
  /** Asks the pool service to drain this target: the threshold was reached. */
  drain(): Promise<void>;
}

export const ScrubMode = { OFF: 0, LAZY: 1, TIMED: 2 } as const;

/** Pool properties `scrub`, `scrub_freq`, `scrub_thresh`. */
export interface ScrubSettings {
  /** `ScrubMode` number. */
  readonly mode: number;
  /** Seconds from the start of one pass to the start of the next; 0: never. */
  readonly freqSeconds: number;
  /** Corrupted values after which the target is drained; 0: never. */
  readonly threshold: number;
}

export interface ScrubContainer {
  readonly uuid: Uuid;
  /** Checksum type of the container; 0: it has none, and nothing of it is read. */
  readonly checksumType: number;
  /** It is being destroyed or closed: the pass leaves it at once. */
  isStopping(): boolean;
  objects(): Iterable<ScrubObject> | AsyncIterable<ScrubObject>;
  /** Gives the reference back. */
  close(): void;
}

/** DER_INPROGRESS from `values`, or from reading one, passes over the rest of the object. */
export interface ScrubObject {
  readonly oid: UnitOid;
  /** All versions of all values, covered ones too, holes at will. Values may disappear while one of them is looked at. */
  values(): Iterable<ScrubValue> | AsyncIterable<ScrubValue>;
}

/** One stored version of a single value, or one stored extent. */
export interface ScrubValue {
  /** For messages and events. */
  readonly where: { readonly oid: UnitOid; readonly dkey: Uint8Array; readonly akey: Uint8Array; readonly epoch: Epoch };
  /** Extent of array records; undefined for a single value. */
  readonly recx: Recx | undefined;
  /** Record size, or length of the single value, in bytes; 0: a hole. */
  readonly size: number;
  /** Undefined: written without, nothing to compare with. */
  readonly checksums: IodChecksums | undefined;
  readonly isCorrupted: boolean;
  /** Beside the index, or in the data file. */
  readonly media: 'scm' | 'nvme';
  /** `length` stored bytes from byte `from` of the value. They are used before the next turn of the event loop. */
  read(from: number, length: number): Uint8Array | Promise<Uint8Array>;
  /** False when the value was removed (aggregation, punch and discard) since it was listed. */
  stillThere(): boolean;
  /** Sets the CORRUPTED flag: fetches of this value answer DER_CSUM from then on. */
  markCorrupted(): void | Promise<void>;
}
