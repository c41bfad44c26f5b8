import { systemClock, type Clock, type Timer } from '@daos/gurt';

/** Deadlines are kept to this many ms: one timer serves all calls of a context. */
export const TICK_MS = 20;
/** The timer stops after this many ticks without work. */
const IDLE_TICKS_MAX = 5;

/** Looks at its own deadlines when time has passed. */
export interface Ticking {
  /** False when there is nothing left to wait for. */
  tick(nowMs: number): boolean;
}

/**
 * One coarse timer for everything in a context that has a deadline. It runs, and keeps the process alive, only while
 * something waits. Owners of many deadlines (connections with their calls) look through them themselves on each tick:
 * no timer, no allocation and no queue per call.
 */
export class DeadlineTimer {
  private readonly members = new Set<Ticking>();
  private timer: Timer | undefined;
  private idleTicks = 0;
  private closed = false;

  constructor(private readonly clock: Clock = systemClock) {}

  now(): number {
    return this.clock.monotonicMs();
  }

  /** Ticks `member` until it answers false. Adding it again is free. */
  watch(member: Ticking): void {
    if (this.closed) return;
    this.members.add(member);
    this.idleTicks = 0;
    this.timer ??= this.clock.setTimer(TICK_MS, () => this.tick());
  }

  /** Calls `expire` once after `delayMs`, unless the returned function was called before. */
  after(delayMs: number, expire: () => void): () => void {
    const deadline = this.now() + delayMs;
    let active = true;
    this.watch({
      tick(nowMs) {
        if (active && nowMs >= deadline) {
          active = false;
          expire();
        }
        return active;
      },
    });
    return () => {
      active = false;
    };
  }

  /** Nothing expires any more. */
  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = undefined;
    this.members.clear();
  }

  private tick(): void {
    const now = this.now();
    for (const member of this.members) if (!member.tick(now)) this.members.delete(member);
    this.idleTicks = this.members.size === 0 ? this.idleTicks + 1 : 0;
    const goOn = this.timer !== undefined && this.idleTicks < IDLE_TICKS_MAX;
    this.timer = goOn ? this.clock.setTimer(TICK_MS, () => this.tick()) : undefined;
  }
}
