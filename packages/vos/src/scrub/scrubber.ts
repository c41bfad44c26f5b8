import { DaosError, isDaosError, type Uuid } from '@daos/common';
import { getLogger, type Clock } from '@daos/gurt';

import { scrubWaitMs } from './pace.js';
import { ScrubMode, type ScrubContainer, type ScrubObject, type ScrubSettings, type ScrubSource, type ScrubValue } from './source.js';
import { ScrubStatistics } from './statistics.js';
import { scanValue } from './value_scan.js';

/** Longest single wait: settings and the end of the pool are looked at in between. */
const NAP_MS_MAX = 1000;
const LOAD_POLL_MS = 500;
/** Values without anything to verify that are passed over before others get their turn. */
const SKIPPED_PER_TURN = 256;

const log = getLogger('csum');

export interface ScrubberOptions {
  readonly source: ScrubSource;
  readonly clock: Clock;
  /** Resolves after so many ms; 0 lets others have their turn. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** `idle`: no pass was due. `ended`: a pass was, but scrubbing was switched off or the pool stops. */
export type PassResult = 'idle' | 'completed' | 'ended';

/**
 * Finds silent corruption on one target of a pool: reads every stored value and compares it with the checksums that were
 * stored with it.
 *
 * One pass: due (mode, frequency, in lazy mode an idle target) → the first one waits until all containers have loaded →
 * container after container, each kept open by a reference: object after object: value after value, checksum after
 * checksum → after each checksum a wait: `timed` spreads as many checksums as the last pass had over the frequency,
 * `lazy` waits for an idle target.
 *
 * A value that differs and is still there is reported, marked CORRUPTED and counted. When the count reaches the threshold
 * the drain of the target is asked for, and the scrubber is done for good, whether that begins or not. The pass goes on after a value that cannot be read, and then
 * ends with that error.
 */
export class Scrubber {
  readonly statistics = new ScrubStatistics();
  /** Corrupted values that this scrubber has found, over all passes. */
  private found = 0;
  private startedMs = 0;
  private busySinceMs: number | undefined;
  private isRunning = false;
  private isShutDown = false;
  private skipped = 0;
  /** First failure to read a value in this pass. */
  private readError: DaosError | undefined;

  constructor(private readonly options: ScrubberOptions) {}

  /**
   * Makes one pass if one is due. Rejects with DER_SHUTDOWN when the threshold is reached, now or before, and with what
   * the source throws; the next pass then starts when it is due, the first one at once. One call at a time.
   */
  async run(): Promise<PassResult> {
    if (this.isShutDown) throw shutdown(this.found);
    if (this.isRunning) throw new DaosError('BUSY', 'a pass of this scrubber is running');
    this.isRunning = true;
    try {
      if (!this.isDue()) return 'idle';
      if (this.statistics.scrubsCompleted === 0 && !(await this.loaded())) return 'ended';
      return await this.pass();
    } finally {
      this.isRunning = false;
    }
  }

  private get settings(): ScrubSettings {
    return this.options.source.settings();
  }

  /** Scrubbing is on, and neither the pool nor the given container stops. */
  private goesOn(container?: ScrubContainer): boolean {
    const { mode, freqSeconds } = this.settings;
    return mode !== ScrubMode.OFF && freqSeconds > 0 && !this.options.source.isStopping() && container?.isStopping() !== true;
  }

  private isDue(): boolean {
    if (!this.goesOn()) return false;
    const { mode, freqSeconds } = this.settings;
    if (this.statistics.scrubsCompleted > 0) {
      const leftMs = freqSeconds * 1000 - this.elapsedMs();
      this.statistics.nextTreeSeconds = Math.max(0, Math.trunc(leftMs / 1000));
      if (leftMs > 0) return false;
    }
    return mode === ScrubMode.TIMED || this.isIdle();
  }

  private elapsedMs(): number {
    return this.options.clock.monotonicMs() - this.startedMs;
  }

  private isIdle(): boolean {
    const nowMs = this.options.clock.monotonicMs();
    if (this.options.source.isIdle()) {
      this.busySinceMs = undefined;
      this.statistics.busySeconds = 0;
      return true;
    }
    this.busySinceMs ??= nowMs;
    this.statistics.busySeconds = Math.trunc((nowMs - this.busySinceMs) / 1000);
    return false;
  }

  private async loaded(): Promise<boolean> {
    while (!this.options.source.isLoaded()) {
      if (!this.goesOn()) return false;
      await this.options.sleep(LOAD_POLL_MS);
    }
    return this.goesOn();
  }

  private async pass(): Promise<PassResult> {
    const { statistics, options: { clock } } = this;
    this.startedMs = clock.monotonicMs();
    this.readError = undefined;
    statistics.beginPass(clock.wallMs());
    try {
      for await (const uuid of this.options.source.containers()) {
        if (!this.goesOn()) return 'ended';
        await this.container(uuid);
      }
    } finally {
      statistics.nextCsumMs = 0;
    }
    if (!this.goesOn()) return 'ended';
    statistics.completePass(this.elapsedMs());
    if (this.readError) throw this.readError;
    return 'completed';
  }

  private async container(uuid: Uuid): Promise<void> {
    const container = await this.options.source.openContainer(uuid);
    if (!container) return;
    try {
      if (container.checksumType === 0) return;
      for await (const object of container.objects()) {
        if (!this.goesOn(container)) return;
        await this.object(container, object);
      }
    } catch (error) {
      // what disappears under a container that stops is no failure
      if (!container.isStopping() || isDaosError(error, 'SHUTDOWN')) throw error;
    } finally {
      container.close();
    }
  }

  private async object(container: ScrubContainer, object: ScrubObject): Promise<void> {
    try {
      for await (const value of object.values()) {
        if (!this.goesOn(container)) return;
        await this.value(container, value);
      }
    } catch (error) {
      if (!isDaosError(error, 'INPROGRESS')) throw error;
    }
  }

  private async value(container: ScrubContainer, value: ScrubValue): Promise<void> {
    const { checksums, size } = value;
    if (value.isCorrupted && this.statistics.scrubsCompleted === 0) this.statistics.corruption.total++;
    if (value.isCorrupted || !checksums || size === 0) return this.skip();
    try {
      await scanValue(value, checksums, async (bytes, matches) => {
        this.statistics.csums.add(1);
        this.statistics.bytes.add(bytes);
        if (!matches && value.stillThere()) await this.corrupted(container, value);
        return this.pace(container);
      });
    } catch (error) {
      if (isDaosError(error, 'SHUTDOWN', 'INPROGRESS') || !isDaosError(error)) throw error;
      if (value.stillThere() && !container.isStopping()) this.unreadable(value, error);
    }
  }

  private async skip(): Promise<void> {
    if (++this.skipped % SKIPPED_PER_TURN === 0) await this.options.sleep(0);
  }

  private unreadable(value: ScrubValue, error: DaosError): void {
    if (!this.readError) log.warn('the scrubber cannot read a value and goes on', { ...place(value), error: error.detail });
    this.readError ??= error;
  }

  private async corrupted(container: ScrubContainer, value: ScrubValue): Promise<void> {
    const { source } = this.options;
    source.corruptionDetected(container.uuid, value);
    this.found++;
    this.statistics.corruption.add(1);
    log.error('the scrubber found corrupted data', { container: container.uuid, ...place(value), found: this.found });
    try {
      await value.markCorrupted();
    } catch (error) {
      log.error('a corrupted value could not be marked', { container: container.uuid, ...place(value), error: String(error) });
    }
    const { threshold } = this.settings;
    if (threshold === 0 || this.found < threshold) return;
    this.isShutDown = true;
    log.error('too many corrupted values: the drain of this target is asked for, and it is not scrubbed any more', { found: this.found, threshold });
    try {
      await source.drain();
    } catch (error) {
      log.error('the drain of this target could not be started', { error: String(error) });
    }
    throw shutdown(this.found);
  }

  /** Waits until the next checksum may be computed; false when the pass ends here. */
  private async pace(container: ScrubContainer): Promise<boolean> {
    const { sleep } = this.options;
    let napMs = 0;
    do {
      await sleep(napMs);
      if (!this.goesOn(container)) return false;
      napMs = this.settings.mode === ScrubMode.TIMED ? this.timedWaitMs() : this.lazyWaitMs();
    } while (napMs > 0);
    return true;
  }

  private timedWaitMs(): number {
    const { csums } = this.statistics;
    const waitMs = scrubWaitMs(this.settings.freqSeconds * 1000, csums.prev, csums.current - 1, this.elapsedMs());
    this.statistics.nextCsumMs = waitMs;
    return Math.min(NAP_MS_MAX, waitMs);
  }

  /** How long client I/O takes is not known. */
  private lazyWaitMs(): number {
    this.statistics.nextCsumMs = 0;
    return this.isIdle() ? 0 : NAP_MS_MAX;
  }
}

function shutdown(found: number): DaosError {
  return new DaosError('SHUTDOWN', `${found} corrupted values reach the threshold: this target is not scrubbed any more`);
}

function place({ where, recx }: ScrubValue): Record<string, string> {
  return {
    oid: `${where.oid.oid.hi}.${where.oid.oid.lo}.${where.oid.shard}`,
    dkey: Buffer.from(where.dkey).toString('hex'),
    akey: Buffer.from(where.akey).toString('hex'),
    epoch: String(where.epoch),
    ...(recx && { recx: `{${recx.idx},${recx.nr}}` }),
  };
}
