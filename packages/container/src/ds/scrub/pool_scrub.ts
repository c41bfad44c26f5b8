import { ChecksumType, DaosError, isDaosError, type Uuid } from '@daos/common';
import { getLogger, systemClock } from '@daos/gurt';
import { Scrubber, scrubLoop, vosScrubSource, type ScrubContainer, type ScrubSettings, type ScrubSource, type ScrubValue, type VosPool } from '@daos/vos';

import type { ContHistory } from '../aggregate/pool_aggregator.js';
import { untilAborted } from '../background.js';
import { ScrubTelemetry } from './telemetry.js';

const log = getLogger('csum');

/** What the scrubber of a pool needs of its target. */
export interface PoolScrubHost {
  readonly vos: VosPool;
  settings(): ScrubSettings;
  isIdle(): boolean;
  /** Asks the leader. DER_NONEXIST when the container is not known any more. */
  history(container: Uuid): Promise<ContHistory>;
  /** A value does not match its checksums. */
  corrupted(container: Uuid, value: ScrubValue): void;
  /** It is being destroyed. */
  isDeparting(container: Uuid): boolean;
}

interface Open {
  readonly uuid: Uuid;
  readonly closed: Promise<void>;
}

/** Scrubs one pool on one target until it is stopped. */
export class PoolScrub {
  private readonly stopped = new AbortController();
  private readonly checksumTypes = new Map<Uuid, number>();
  private readonly telemetry: ScrubTelemetry;
  private readonly source: ScrubSource;
  private readonly scrubber: Scrubber;
  private running: Promise<void> | undefined;
  private open: Open | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly host: PoolScrubHost) {
    this.source = this.makeSource();
    this.scrubber = new Scrubber({ source: this.source, clock: systemClock, sleep: this.sleep });
    this.telemetry = new ScrubTelemetry(host.vos.uuid, this.scrubber.statistics);
  }

  start(): void {
    const options = { source: this.source, sleep: this.sleep };
    this.running ??= scrubLoop(this.scrubber, options).catch((error: unknown) => {
      log.error(`the scrubber of pool ${this.host.vos.uuid} ended: ${String(error)}`);
    });
  }

  /** Resolves when nothing of the pool is open here any more. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.wake?.();
    await this.running;
    this.telemetry.remove();
  }

  /** The container is about to be destroyed, as `isDeparting` says: lets go of it. */
  async leave(container: Uuid): Promise<void> {
    this.checksumTypes.delete(container);
    if (this.open?.uuid !== container) return;
    this.wake?.();
    await this.open.closed;
  }

  private makeSource(): ScrubSource {
    const { host } = this;
    const source = vosScrubSource(host.vos, {
      settings: () => host.settings(),
      isStopping: () => this.stopped.signal.aborted,
      isIdle: () => host.isIdle(),
      // each container's are loaded when it is opened
      isLoaded: () => true,
      checksumType: (uuid) => this.checksumTypes.get(uuid) ?? ChecksumType.OFF,
      isContainerStopping: (uuid) => host.isDeparting(uuid),
      corruptionDetected: (uuid, value) => host.corrupted(uuid, value),
      drain: () => Promise.reject(new DaosError('NOSYS', 'targets cannot be drained yet: replace this device by hand')),
    });
    return { ...source, openContainer: (uuid) => this.openContainer(source, uuid) };
  }

  private async openContainer(source: ScrubSource, uuid: Uuid): Promise<ScrubContainer | undefined> {
    if (!(await this.loaded(uuid)) || this.stopped.signal.aborted || this.host.isDeparting(uuid)) return undefined;
    const container = await source.openContainer(uuid);
    if (!container) return undefined;
    let tell: () => void = () => undefined;
    this.open = { uuid, closed: new Promise((resolve) => (tell = resolve)) };
    const close = (): void => {
      container.close();
      this.open = undefined;
      tell();
    };
    return {
      uuid,
      checksumType: container.checksumType,
      isStopping: () => container.isStopping(),
      objects: () => container.objects(),
      close,
    };
  }

  /** Asks for the container's checksum type, once per pass; false when there is no such container, or no time. */
  private async loaded(uuid: Uuid): Promise<boolean> {
    try {
      const { checksumType } = await untilAborted(this.host.history(uuid), this.stopped.signal);
      this.checksumTypes.set(uuid, checksumType);
      return true;
    } catch (error) {
      if (this.stopped.signal.aborted || isDaosError(error, 'NONEXIST')) return false;
      throw error;
    }
  }

  private readonly sleep = (ms: number): Promise<void> => {
    this.telemetry.publish();
    if (ms === 0 || this.stopped.signal.aborted) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.wake = end;
    });
  };
}
