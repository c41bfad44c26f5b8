/** Where bytes live: beside the index (SCM), or in the data file (NVMe). The numbers are those of addresses. */
export const Media = { SCM: 0, NVME: 1 } as const;
export type MediaType = (typeof Media)[keyof typeof Media];

/** Pool property `data_thresh` when nobody sets it: smaller values stay beside the index. */
export const DATA_THRESHOLD_BYTES_DEFAULT = 4096;

export interface MediaChoice {
  /** Whether the pool has a data file with an allocator. */
  readonly hasDataFile: boolean;
  /** Pool property `data_thresh`; 0: nothing goes to the data file. */
  readonly thresholdBytes: number;
  /** Of the single value, or of this one extent: record size times count. Aggregation gives the merged size. */
  readonly bytes: number;
}

/** Where a value goes. Each single value and each extent is decided by itself. */
export function mediaSelect({ hasDataFile, thresholdBytes, bytes }: MediaChoice): MediaType {
  if (!hasDataFile || thresholdBytes === 0 || bytes < thresholdBytes) return Media.SCM;
  return Media.NVME;
}
