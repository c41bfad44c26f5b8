import { checkCheckpointPolicy, type CheckpointPolicy, type UmemTuning } from './umem_options.js';

export interface CheckpointLoad {
  /** Modifications that are not in LMDB. */
  readonly entries: number;
  readonly logBytes: number;
}

/** Says when the next checkpoint is due. */
export class CheckpointSchedule {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private policy: CheckpointPolicy,
    private readonly tuning: UmemTuning,
    /** Called when the time has come. */
    private readonly onTime: () => void,
  ) {
    checkCheckpointPolicy(policy);
  }

  setPolicy(policy: CheckpointPolicy): void {
    checkCheckpointPolicy(policy);
    this.policy = policy;
    this.restart();
  }

  /** After each batch. */
  isDue({ entries, logBytes }: CheckpointLoad): boolean {
    const { mode, frequencySeconds, thresholdPercent } = this.policy;
    if (mode === 'disabled') return false;
    const { checkpointEntries, logBytesMax, checkpointLogBytes = (logBytesMax * thresholdPercent) / 100 } = this.tuning;
    if (entries >= checkpointEntries || logBytes >= checkpointLogBytes) return true;
    if (mode === 'timed') this.timer ??= setTimeout(this.onTimer, frequencySeconds * 1000).unref();
    return false;
  }

  /** A checkpoint has begun, or there will be none. */
  restart(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private readonly onTimer = (): void => {
    this.timer = undefined;
    this.onTime();
  };
}
