import { DaosError } from '@daos/common';

import type { LogFiles } from './log_files.js';
import type { UmemListener } from './umem_event.js';
import type { LmdbStore } from './lmdb_store.js';
import type { ReadData } from './recovery.js';

/**
 * When checkpoints are made. `timed`: `frequencySeconds` after the first modification since the last one;
 * `lazy`: not by time. In both, when the log's use passes `thresholdPercent`. `disabled`: only when there is no
 * other way to go on, that is when the log is full.
 */
export interface CheckpointPolicy {
  readonly mode: 'disabled' | 'timed' | 'lazy';
  /** 1 to 2^20. */
  readonly frequencySeconds: number;
  /** Share of the log, 10 to 75. */
  readonly thresholdPercent: number;
}

export const CHECKPOINT_POLICY: CheckpointPolicy = { mode: 'timed', frequencySeconds: 5, thresholdPercent: 50 };

const FREQUENCY_SECONDS_MAX = 2 ** 20;
const THRESHOLD_PERCENT_MIN = 10;
const THRESHOLD_PERCENT_MAX = 75;

/** Sizes that bound memory and the time of a recovery. Tests make them small. */
export interface UmemTuning {
  /** A checkpoint begins when this many entries are not in LMDB yet (not when checkpoints are disabled). */
  readonly checkpointEntries: number;
  /** A checkpoint begins when the log holds this much; without it the policy's threshold counts. */
  readonly checkpointLogBytes?: number;
  /** A checkpoint is written in slices: each holds the thread for about a millisecond, its commit none. */
  readonly sliceEntries: number;
  /** Limit of one log file: the log, since the other file only waits for its checkpoint. */
  readonly logBytesMax: number;
}

export const UMEM_TUNING: UmemTuning = {
  checkpointEntries: 65_536,
  sliceEntries: 1024,
  logBytesMax: 32 * 1024 * 1024,
};

export interface UmemOptions extends Partial<UmemTuning> {
  readonly checkpoint?: CheckpointPolicy;
  /**
   * `full` (the default): an acknowledged batch survives a crash of the operating system. `none`: a batch is
   * acknowledged when the kernel has its log record; it survives the end of the process, but a crash of the
   * operating system loses the last moments: what the log's last flush, at the latest the last checkpoint, did
   * not cover. What is left is the state at some earlier moment, never a mixture.
   */
  readonly durability?: 'full' | 'none';
  /** Reads the data file, for a recovery. Needed when modifications depend on data writes. */
  readonly readData?: ReadData;
  readonly onEvent?: UmemListener;
  readonly logFiles?: LogFiles;
  readonly openStore?: (path: string, usableBytes: number) => LmdbStore;
}

/** Throws DER_INVAL for a policy that DAOS would not take. */
export function checkCheckpointPolicy({ frequencySeconds, thresholdPercent }: CheckpointPolicy): void {
  if (!Number.isInteger(frequencySeconds) || frequencySeconds < 1 || frequencySeconds > FREQUENCY_SECONDS_MAX) {
    throw new DaosError('INVAL', `a checkpoint frequency of ${frequencySeconds} s; give 1 to ${FREQUENCY_SECONDS_MAX}`);
  }
  if (!(thresholdPercent >= THRESHOLD_PERCENT_MIN && thresholdPercent <= THRESHOLD_PERCENT_MAX)) {
    throw new DaosError('INVAL', `a checkpoint threshold of ${thresholdPercent} %; give ${THRESHOLD_PERCENT_MIN} to ${THRESHOLD_PERCENT_MAX}`);
  }
}
