import { existsSync } from 'node:fs';

import type { ControlLog } from '@daos/control';

const POLL_MS = 3_000;
/** Handles remembered at once; more are not watched, and expire with their pool or by the administrator. */
const HANDLES_MAX = 100_000;

/** Closes pool handles that a process left open when it ended. */
export type EvictHandles = (poolUuid: string, handles: readonly string[]) => Promise<void>;

/** Which process holds which pool handles, by the notices of the client library. */
export class HandleMonitor {
  private readonly pools = new Map<number, Map<string, Set<string>>>();
  private count = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly evict: EvictHandles,
    private readonly log: ControlLog,
    private readonly isAlive: (pid: number) => boolean = (pid) => existsSync(`/proc/${pid}`),
  ) {}

  connected(pid: number, poolUuid: string, handle: string): void {
    if (this.count >= HANDLES_MAX) {
      this.log.error(`${HANDLES_MAX} pool handles are watched; handle ${handle} of process ${pid} is not`);
      return;
    }
    const pools = this.pools.get(pid) ?? new Map<string, Set<string>>();
    const handles = pools.get(poolUuid) ?? new Set<string>();
    if (!handles.has(handle)) this.count++;
    this.pools.set(pid, pools.set(poolUuid, handles.add(handle)));
    this.timer ??= setInterval(() => this.poll(), POLL_MS).unref();
  }

  disconnected(pid: number, poolUuid: string, handle: string): void {
    const pools = this.pools.get(pid);
    const handles = pools?.get(poolUuid);
    if (!handles?.delete(handle)) return;
    this.count--;
    if (handles.size === 0) pools?.delete(poolUuid);
    if (pools?.size === 0) this.pools.delete(pid);
  }

  /** A process says that it ends, or was seen to have ended: what it still holds is closed. */
  async exited(pid: number): Promise<void> {
    const pools = this.pools.get(pid);
    this.pools.delete(pid);
    for (const [poolUuid, handles] of pools ?? []) {
      this.count -= handles.size;
      this.log.notice(`process ${pid} left ${handles.size} handle(s) of pool ${poolUuid} open; closing them`);
      await this.evict(poolUuid, [...handles]).catch((error: unknown) => {
        this.log.error(`handles of pool ${poolUuid} could not be closed: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  }

  /** Closes every handle that is watched. */
  async evictAll(): Promise<void> {
    await Promise.all([...this.pools.keys()].map((pid) => this.exited(pid)));
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private poll(): void {
    for (const pid of [...this.pools.keys()]) if (!this.isAlive(pid)) void this.exited(pid);
    if (this.pools.size === 0) this.stop();
  }
}
