import { DaosError } from '@daos/common';
import type { ControlLog } from '@daos/control';
import type { GroupUpdateReq } from '@daos/proto/mgmt/svc';

import { isLeftOutOfGroup } from './member.js';
import type { SystemState } from './system_state.js';

/** Changes that come close together go out as one; also the pause after a failure. */
const PAUSE_MS = 500;

/** Hands the group map to one local engine, which spreads it. */
export type GroupSender = (update: GroupUpdateReq) => Promise<void>;

/** Live members as engines get them: ranks that are left out of the group, or never said where they listen, are missing. */
export function groupUpdateOf(state: SystemState): GroupUpdateReq {
  const engines = state.members
    .filter((member) => !isLeftOutOfGroup(member) && member.fabricUri !== '')
    .map((member) => ({ rank: member.rank, uri: member.fabricUri, incarnation: BigInt(member.incarnation) }));
  return { mapVersion: state.mapVersion, engines };
}

/** Keeps the engines' group map equal to the system database, from the leader. */
export class GroupUpdater {
  private sentVersion = 0;
  private wanted = false;
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isOpen = false;
  private lastFailure = '';

  constructor(
    private readonly state: () => SystemState | undefined,
    private readonly send: GroupSender,
    private readonly log: ControlLog,
  ) {}

  start(): void {
    this.isOpen = true;
    this.sentVersion = 0;
    this.request();
  }

  /** Sends the map soon; several requests make one. */
  request(): void {
    this.wanted = true;
    if (!this.isOpen || this.running || this.timer) return;
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.isOpen = false;
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      while (this.wanted && this.isOpen) {
        this.wanted = false;
        await this.sendOnce();
      }
    } catch (error) {
      this.retryLater(error);
    } finally {
      this.running = undefined;
    }
  }

  private async sendOnce(): Promise<void> {
    const state = this.state();
    if (!state) return;
    const update = groupUpdateOf(state);
    if (update.engines.length === 0 || update.mapVersion <= this.sentVersion) return;
    await this.send(update);
    this.sentVersion = update.mapVersion;
    this.lastFailure = '';
    this.log.debug(
      `group map ${update.mapVersion} sent: ranks ${update.engines.map((engine) => engine.rank).join(',')}`,
    );
  }

  private retryLater(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    // The same failure twice a second would fill the log.
    if (text !== this.lastFailure) {
      if (error instanceof DaosError) this.log.error(`group update failed: ${text}`);
      else this.log.debug(`group update waits: ${text}`);
    }
    this.lastFailure = text;
    if (!this.isOpen) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.request();
    }, PAUSE_MS);
  }
}
