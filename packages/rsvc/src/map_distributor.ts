import { getLogger, systemClock, type Clock, type Timer } from '@daos/gurt';

const RETRY_MS = 3000;
const log = getLogger('rsvc');

/**
 * Hands a service's map to all engines, from its leader. Requests coalesce; a failure is tried again every 3 s until it
 * succeeds or the leader steps down.
 */
export class MapDistributor {
  private wanted = false;
  private running: Promise<void> | undefined;
  private timer: Timer | undefined;
  private stopped = false;
  private distributed = 0;

  constructor(
    /** Distributes the map and returns its version. */
    private readonly distribute: () => Promise<number>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Version that all engines have, and whether nothing is pending. */
  query(): { readonly version: number; readonly idle: boolean } {
    return { version: this.distributed, idle: !this.wanted && !this.running };
  }

  /** Distributes soon. */
  request(): void {
    this.wanted = true;
    if (!this.running && !this.stopped) this.running = this.run();
  }

  /** No distribution starts after this; resolves when a running one has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.wanted && !this.stopped) {
      this.wanted = false;
      try {
        this.distributed = await this.distribute();
      } catch (error) {
        log.warn(`map distribution failed, next try in ${RETRY_MS / 1000} s: ${String(error)}`);
        this.wanted = true;
        break;
      }
    }
    this.running = undefined;
    if (!this.wanted || this.stopped) return;
    this.timer?.cancel();
    this.timer = this.clock.setTimer(RETRY_MS, () => this.request());
  }
}
