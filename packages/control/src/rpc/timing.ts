/** Time and chance of the request loop, injected so that tests need not wait. */
export interface Timing {
  nowMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const SYSTEM_TIMING: Timing = {
  nowMs: () => performance.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    if (ms <= 0) return;
    const { setTimeout } = await import('node:timers/promises');
    await setTimeout(ms, undefined, signal ? { signal } : {});
  },
};

const BACKOFF_BASE_MS = 250;
const BACKOFF_STEPS_MAX = 7;
const JITTER_STEP_MS = 500;
const JITTER_STEPS = 7;

/** Pause in milliseconds after try number `attempt` (from 0) failed. `baseMs`: the request's own interval. */
export function backoffMs(attempt: number, random: () => number, baseMs = BACKOFF_BASE_MS): number {
  if (attempt === 0) return 0;
  const pause = baseMs * 2 ** Math.max(0, Math.min(attempt, BACKOFF_STEPS_MAX) - 2);
  return pause + Math.floor(random() * JITTER_STEPS) * JITTER_STEP_MS;
}

/** A duration as DAOS prints it: `5m0s`, `1h0m0s`, `10s`, `1.5s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
