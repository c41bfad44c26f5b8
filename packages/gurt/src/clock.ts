/** A timer that can be stopped. */
export interface Timer {
  cancel(): void;
}

/** Time as protocol code sees it. Injected, so that a simulator can supply its own. */
export interface Clock {
  /** Wall clock, ms since the Unix epoch. May jump. */
  wallMs(): number;
  /** Monotonic time in ms with a fraction; the origin means nothing. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`. The timer keeps the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** The clock of the operating system. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};
