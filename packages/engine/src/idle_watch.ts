import type { Xstream } from './types.js';

/** A thread without requests for this long is idle. */
const QUIET_MS = 1000;

/** Says whether an xstream is idle: no request came in for a second, as far as its questioner has looked. */
export class IdleWatch {
  private count: number;
  private busyAtMs: number;

  constructor(
    private readonly xs: Pick<Xstream, 'requestCount'>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.count = xs.requestCount;
    this.busyAtMs = nowMs();
  }

  /** What came in since the last question counts as come in now. */
  isIdle(): boolean {
    const now = this.nowMs();
    const { requestCount } = this.xs;
    if (requestCount !== this.count) {
      this.count = requestCount;
      this.busyAtMs = now;
    }
    return now - this.busyAtMs >= QUIET_MS;
  }
}
