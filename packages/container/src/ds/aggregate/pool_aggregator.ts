import { isDaosError, type Epoch, type Uuid } from '@daos/common';
import { getLogger } from '@daos/gurt';
import type { ReclaimMode } from '@daos/pool/ds';
import type { AggregateOptions, VosContainer, VosContainerChange, VosPool, VosPoolInfo, VosTierSpace } from '@daos/vos';

import { sleep, untilAborted } from '../background.js';
import { aggregationSteps } from './ranges.js';

/** What the container's service says before a container is aggregated. */
export interface ContHistory {
  /** The leader's clock at that moment: every snapshot that is made later has a later epoch. */
  readonly now: Epoch;
  /** Ascending. */
  readonly snapshots: readonly Epoch[];
  /** When a snapshot was deleted last; 0: never. */
  readonly snapshotDeleted: Epoch;
  /** Deduplicated, compressed or encrypted: stays as it is. */
  readonly isTransformed: boolean;
  /** DAOS hash type; 0: values have no checksums, or the scrubber is to leave them alone. */
  readonly checksumType: number;
}

/** What aggregation needs of its target. */
export interface AggregatorHost {
  readonly vos: Pick<VosPool, 'uuid' | 'containersChanged' | 'containerOpen' | 'query'>;
  reclaim(): ReclaimMode;
  /** No client I/O keeps this target busy. */
  isIdle(): boolean;
  now(): Epoch;
  /** It is being destroyed. */
  isDeparting(container: Uuid): boolean;
  /** Asks the leader. DER_NONEXIST when the container is not known any more. */
  history(container: Uuid): Promise<ContHistory>;
}

export interface AggregatorTiming {
  /** Age, as a span of epochs, below which nothing is touched. */
  readonly gap: Epoch;
  readonly roundMs: number;
  readonly pressureRoundMs: number;
  /** Rests between slices beside client I/O. */
  readonly lazyRestMs: number;
  readonly busyRestMs: number;
}

export const AGGREGATOR_TIMING: Omit<AggregatorTiming, 'gap'> = {
  roundMs: 2000,
  pressureRoundMs: 200,
  lazyRestMs: 1000,
  busyRestMs: 50,
};

/** Below this share of free space in a tier, space is short. */
const PRESSURE_SHARE = 0.2;
/** How long a look at the space is good for: it is asked between all slices. */
const SPACE_LOOK_MS = 100;
/** A container that cannot be aggregated is left alone for this long. */
const FAILURE_REST_MS = 60_000;
/** One with something left for later is tried again after this, then after twice as long, up to the last one. */
const RETRY_REST_MS = 1000;
const RETRY_REST_MS_MAX = 32_000;

const log = getLogger('cont');

interface Current {
  readonly container: Uuid;
  readonly stopped: AbortController;
  readonly done: Promise<void>;
}

interface Rest {
  readonly untilMs: number;
  readonly restMs: number;
}

/**
 * Aggregates the containers of one pool on one target, round after round, until it is stopped.
 *
 * One round: may it run (property `reclaim`; idle in lazy mode, unless space is short) → containers that were written to
 * since they were aggregated, or that lost a snapshot → for each: ask the leader for its snapshots, then take the upper
 * bound, then aggregate up to each snapshot and up to the bound. A container is looked at once per gap, more often when
 * space is short.
 */
export class PoolAggregator {
  private readonly stopped = new AbortController();
  private running: Promise<void> | undefined;
  private current: Current | undefined;
  /** Containers that lost a snapshot since they were looked at. */
  private readonly notified = new Set<Uuid>();
  /** Deletions of snapshots that were followed up, by container. */
  private readonly followedUp = new Map<Uuid, Epoch>();
  private readonly transformed = new Set<Uuid>();
  /** Containers that are left alone for a while. */
  private readonly resting = new Map<Uuid, Rest>();
  private lookedAtMs = -Infinity;
  private wasShort = false;

  constructor(
    private readonly host: AggregatorHost,
    private readonly timing: AggregatorTiming,
  ) {}

  start(): void {
    this.running ??= this.loop();
  }

  /** Resolves when nothing of the pool is open here any more. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  /** A snapshot of the container was deleted. */
  snapshotDeleted(container: Uuid): void {
    this.notified.add(container);
  }

  /** The container is about to be destroyed: lets go of it. */
  async leave(container: Uuid): Promise<void> {
    for (const known of [this.notified, this.followedUp, this.transformed, this.resting]) known.delete(container);
    if (this.current?.container !== container) return;
    this.current.stopped.abort();
    await this.current.done;
  }

  private async loop(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        await this.round();
        await sleep(this.isShort() ? this.timing.pressureRoundMs : this.timing.roundMs, signal);
      } catch (error) {
        if (!signal.aborted) log.error(`aggregation of pool ${this.host.vos.uuid} failed: ${String(error)}`);
        await sleep(this.timing.roundMs, signal);
      }
    }
  }

  /** One round; for tests also from outside. */
  async round(): Promise<void> {
    const reclaim = this.host.reclaim();
    if (reclaim === 'disabled' || (reclaim === 'lazy' && !this.isShort() && !this.host.isIdle())) return;
    for (const container of this.due()) {
      if (this.stopped.signal.aborted) return;
      await this.container(container);
    }
  }

  private due(): Set<Uuid> {
    const due = new Set(this.notified);
    for (const change of this.host.vos.containersChanged()) if (this.isDue(change)) due.add(change.uuid);
    const nowMs = performance.now();
    for (const uuid of due) {
      if (this.host.isDeparting(uuid) || this.transformed.has(uuid) || (this.resting.get(uuid)?.untilMs ?? 0) > nowMs) due.delete(uuid);
    }
    return due;
  }

  private isDue({ hae }: VosContainerChange): boolean {
    const { gap } = this.timing;
    const upper = this.host.now() - gap;
    return this.isShort() ? hae < upper - gap / 16n : hae <= upper - gap;
  }

  private async container(uuid: Uuid): Promise<void> {
    const stopped = new AbortController();
    const done = this.aggregate(uuid, AbortSignal.any([stopped.signal, this.stopped.signal]));
    this.current = { container: uuid, stopped, done };
    await done;
    this.current = undefined;
  }

  private async aggregate(uuid: Uuid, signal: AbortSignal): Promise<void> {
    const wasNotified = this.notified.delete(uuid);
    try {
      const history = await untilAborted(this.host.history(uuid), signal);
      if (history.isTransformed) this.transformed.add(uuid);
      else if (!(await this.steps(uuid, history, signal))) {
        if (wasNotified) this.notified.add(uuid);
        this.retryLater(uuid);
        return;
      }
      this.resting.delete(uuid);
    } catch (error) {
      if (wasNotified && !isDaosError(error, 'NONEXIST')) this.notified.add(uuid);
      this.failed(uuid, error, signal);
    }
  }

  /** False when something was left for later. */
  private async steps(uuid: Uuid, history: ContHistory, signal: AbortSignal): Promise<boolean> {
    const container = this.host.vos.containerOpen(uuid);
    try {
      const { snapshots, snapshotDeleted } = history;
      const { hae } = container.query();
      // an earlier run of the engine that was through with it has left a later epoch as aggregated
      const isFullScan = snapshotDeleted > hae && snapshotDeleted > (this.followedUp.get(uuid) ?? 0n);
      const upper = this.upperBound(history);
      for (const { range, flags } of aggregationSteps({ hae, snapshots, upper, isFullScan })) {
        const isComplete = await this.step(container, range, { flags, signal, yield: () => this.rest(signal) });
        // what is left must stay above the aggregated epoch, so nothing above may raise that
        if (!isComplete) return false;
      }
      if (isFullScan && upper > 0n) this.followedUp.set(uuid, snapshotDeleted);
      return true;
    } finally {
      container.close();
    }
  }

  private async step(container: VosContainer, range: { lo: Epoch; hi: Epoch }, options: AggregateOptions): Promise<boolean> {
    try {
      return await container.aggregate(range, options);
    } catch (error) {
      if (!isDaosError(error, 'CSUM')) throw error;
      log.error(`container ${container.uuid}: ${error.message}`);
      return container.query().hae >= range.hi;
    }
  }

  /** No snapshot that is made from now on lies below it. */
  private upperBound({ now }: ContHistory): Epoch {
    const own = this.host.now();
    const upper = (own < now ? own : now) - this.timing.gap;
    return upper > 0n ? upper : 0n;
  }

  private async rest(signal: AbortSignal): Promise<'tight' | 'slack' | 'stop'> {
    const reclaim = this.host.reclaim();
    if (reclaim === 'disabled') return 'stop';
    if (this.isShort() || this.host.isIdle()) return 'tight';
    await sleep(reclaim === 'lazy' ? this.timing.lazyRestMs : this.timing.busyRestMs, signal);
    return 'slack';
  }

  private isShort(): boolean {
    const now = performance.now();
    if (now - this.lookedAtMs >= SPACE_LOOK_MS) {
      this.lookedAtMs = now;
      this.wasShort = isShortOfSpace(this.host.vos.query());
    }
    return this.wasShort;
  }

  private retryLater(uuid: Uuid): void {
    const { restMs = 0 } = this.resting.get(uuid) ?? {};
    this.restFor(uuid, Math.min(Math.max(RETRY_REST_MS, 2 * restMs), RETRY_REST_MS_MAX));
  }

  private restFor(uuid: Uuid, restMs: number): void {
    this.resting.set(uuid, { untilMs: performance.now() + restMs, restMs });
  }

  /** What ends by itself is tried in the next round, everything else after a rest. */
  private failed(uuid: Uuid, error: unknown, signal: AbortSignal): void {
    if (signal.aborted || isDaosError(error, 'OP_CANCELED', 'NO_HDL', 'BUSY')) return;
    this.restFor(uuid, FAILURE_REST_MS);
    // its destruction is under way, on its own or until somebody repeats it
    if (isDaosError(error, 'NONEXIST')) return;
    log.warn(`container ${uuid} is not aggregated for ${FAILURE_REST_MS / 1000} s: ${String(error)}`);
  }
}

function isShortOfSpace({ scm, nvme }: VosPoolInfo): boolean {
  const isShort = ({ totalBytes, freeBytes }: VosTierSpace): boolean => freeBytes < totalBytes * PRESSURE_SHARE;
  return isShort(scm) || isShort(nvme);
}
