import { systemClock, type Clock } from './clock.js';
import { LruMap } from './lru_map.js';

const KEYS_MAX = 1024;

interface Window {
  startMs: number;
  suppressed: number;
}

/**
 * Lets something happen once per key and interval. Meant for log lines that a peer can provoke at will:
 *
 *     const limit = new RateLimit(60_000);
 *     limit.run(peer, (suppressed) => log.warn(`bad frame from ${peer}`, { suppressed }));
 *
 * Remembers the 1024 keys used last.
 */
export class RateLimit {
  private readonly windows = new LruMap<string, Window>(KEYS_MAX);

  constructor(readonly intervalMs: number, private readonly clock: Clock = systemClock) {}

  /** Calls `action` unless it was called for `key` within the interval. It learns how many calls were left out. */
  run(key: string, action: (suppressed: number) => void): void {
    const now = this.clock.monotonicMs();
    const window = this.windows.get(key);
    if (window && now - window.startMs < this.intervalMs) {
      window.suppressed++;
      return;
    }
    this.windows.set(key, { startMs: now, suppressed: 0 });
    action(window?.suppressed ?? 0);
  }
}
