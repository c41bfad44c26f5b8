import type { ControlLog } from '@daos/control';
import { ClusterEventReq, type RASEvent } from '@daos/proto/shared/event';

import type { EventHub } from './events/event_hub.js';
import { applyEventOnLeader } from './events/leader_events.js';
import { RasId, RasSeverity, RasType, rasEvent } from './events/ras_event.js';
import type { EngineInstance, InstanceExit } from './harness/instance.js';
import { RestartLimit } from './harness/restart_limit.js';
import type { ManagementService } from './system/management_service.js';

export interface SupervisorOptions {
  readonly log: ControlLog;
  readonly events: EventHub;
  readonly ms: ManagementService;
  readonly autoRestart: boolean;
  readonly minDelayMs: number;
  /** Tells the management service, when it lives elsewhere. */
  readonly forward: (request: ClusterEventReq) => Promise<unknown>;
}

/**
 * Acts on engines that end by themselves: reports them (event `engine_died`) and starts them again, at once the first
 * time and then no more often than the configured delay; and passes events on to where they count.
 */
export class Supervisor {
  private readonly restarts: RestartLimit;
  private readonly timers = new Map<number, NodeJS.Timeout>();
  private sequence = 0n;
  private isStopped = false;

  constructor(private readonly options: SupervisorOptions) {
    this.restarts = new RestartLimit(options.minDelayMs);
    options.events.subscribe((event, isForwarded) => {
      this.onEvent(event, isForwarded);
    });
  }

  /** No restarts from now on. */
  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  /** An administrator starts or stops the rank: what was planned for it is forgotten. */
  takenOver(rank: number): void {
    this.restarts.forget(rank);
    this.cancel(rank);
  }

  exited(instance: EngineInstance, exit: InstanceExit): void {
    const { log, events, autoRestart } = this.options;
    if (exit.commanded || this.isStopped) {
      log.info(`engine ${instance.index} stopped`);
      return;
    }
    log.error(`instance ${instance.index} exited with status: ${exit.reason}`);
    if (exit.rank === undefined) return;
    const fields = { rank: exit.rank, incarnation: BigInt(exit.incarnation) };
    const text = `DAOS engine ${instance.index} exited unexpectedly: ${exit.reason}`;
    events.publish(rasEvent(RasId.ENGINE_DIED, RasType.STATE_CHANGE, RasSeverity.ERROR, text, fields));
    if (exit.wasReady && autoRestart) this.restart(instance, exit.rank);
  }

  private restart(instance: EngineInstance, rank: number): void {
    const { log } = this.options;
    const decision = this.restarts.decide(rank, Date.now());
    if (decision.action === 'now') {
      this.restarts.restarted(rank, Date.now());
      log.notice(`restarting engine ${instance.index} (rank ${rank})`);
      setImmediate(() => {
        if (!this.isStopped) instance.start();
      });
      return;
    }
    const seconds = Math.ceil(decision.delayMs / 1000);
    log.notice(
      `engine ${instance.index} (rank ${rank}) ended again; it is restarted in ${seconds} s (or now with: dmg system start --ranks ${rank})`,
    );
    this.cancel(rank);
    this.timers.set(
      rank,
      setTimeout(() => {
        this.timers.delete(rank);
        if (!this.isStopped && instance.state === 'Stopped') this.restart(instance, rank);
      }, decision.delayMs),
    );
  }

  private cancel(rank: number): void {
    clearTimeout(this.timers.get(rank));
    this.timers.delete(rank);
  }

  private onEvent(event: RASEvent, isForwarded: boolean): void {
    const { ms, log } = this.options;
    const failed = (error: unknown) => {
      log.error(
        `event ${event.id} was not processed: ${error instanceof Error ? error.message : String(error)}`,
      );
    };
    if (ms.runsReplica) void applyEventOnLeader(event, ms, log).catch(failed);
    else if (!isForwarded && event.type === RasType.STATE_CHANGE) void this.forward(event).catch(failed);
  }

  private async forward(event: RASEvent): Promise<void> {
    this.sequence++;
    await this.options.forward(ClusterEventReq.fromPartial({ sequence: this.sequence, event }));
  }
}
