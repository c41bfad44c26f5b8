import { isDaosError, type Uuid } from '@daos/common';
import { getLogger } from '@daos/gurt';

import type { PoolTargetProps } from './target_props.js';

const RETRY_MS = 3000;
const log = getLogger('pool');

export interface PropsFeedHost {
  /** Asks the leader of the pool's service. */
  fetch(pool: Uuid, signal: AbortSignal): Promise<PoolTargetProps>;
  /** Hands the properties to all targets of this engine. */
  deliver(pool: Uuid, props: PoolTargetProps): Promise<void>;
}

interface Feed {
  readonly stopped: AbortController;
  /** The properties may have changed since the running fetch began. */
  wanted: boolean;
  running: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Brings the properties of pools to the targets of this engine. Whatever says that they may have changed only causes a
 * question to the leader, one at a time per pool, so an older answer never overtakes a newer one. A failure is tried
 * again every 3 s; until the first answer, targets work with defaults.
 */
export class PropsFeed {
  private readonly feeds = new Map<Uuid, Feed>();
  private isStopped = false;

  constructor(private readonly host: PropsFeedHost) {}

  /** The pool was started here, or its properties may have changed. */
  request(pool: Uuid): void {
    if (this.isStopped) return;
    let feed = this.feeds.get(pool);
    if (!feed) {
      feed = { stopped: new AbortController(), wanted: false, running: undefined, timer: undefined };
      this.feeds.set(pool, feed);
    }
    feed.wanted = true;
    clearTimeout(feed.timer);
    feed.running ??= this.run(pool, feed);
  }

  /** Nothing is delivered for the pool after this. */
  async stop(pool: Uuid): Promise<void> {
    const feed = this.feeds.get(pool);
    if (!feed) return;
    this.feeds.delete(pool);
    clearTimeout(feed.timer);
    feed.stopped.abort();
    await feed.running;
  }

  /** The engine stops: requests that come later do nothing. */
  async stopAll(): Promise<void> {
    this.isStopped = true;
    await Promise.all([...this.feeds.keys()].map((pool) => this.stop(pool)));
  }

  private async run(pool: Uuid, feed: Feed): Promise<void> {
    const { signal } = feed.stopped;
    try {
      while (feed.wanted && !signal.aborted) {
        feed.wanted = false;
        const props = await this.host.fetch(pool, signal);
        if (!signal.aborted) await this.host.deliver(pool, props);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isDaosError(error)) log.error(`properties of pool ${pool}: ${String(error)}`);
      else log.debug(`properties of pool ${pool} are asked for again in ${RETRY_MS / 1000} s: ${error.message}`);
      feed.timer = setTimeout(() => this.request(pool), RETRY_MS);
    } finally {
      feed.running = undefined;
    }
  }
}
