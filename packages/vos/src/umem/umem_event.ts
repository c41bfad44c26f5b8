import type { DaosError } from '@daos/common';

/** What happens to an index in the background. Times in milliseconds. */
export type UmemEvent =
  | {
      readonly type: 'replayed';
      /** Log records that were brought into LMDB, and their bytes in the log files. */
      readonly records: number;
      readonly logBytes: number;
      /** True when the replay ended before the log did, at a record whose data never arrived. */
      readonly isCut: boolean;
      readonly ms: number;
    }
  | { readonly type: 'logSwitched'; readonly generation: number; readonly bytesBefore: number }
  | { readonly type: 'checkpointBegun'; readonly entries: number; readonly bytes: number }
  | { readonly type: 'checkpointDone'; readonly entries: number; readonly bytes: number; readonly ms: number }
  /** The index takes no more modifications. */
  | { readonly type: 'failed'; readonly error: DaosError };

export type UmemListener = (event: UmemEvent) => void;
