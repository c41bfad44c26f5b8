import type { ControlLog } from '@daos/control';
import type { RASEvent } from '@daos/proto/shared/event';

import { formatRasEvent } from './ras_event.js';

export type EventListener = (event: RASEvent, isForwarded: boolean) => void;

/** Where events of this host, and on the leader those of others, reach everybody who acts on them. */
export class EventHub {
  private readonly listeners = new Set<EventListener>();

  constructor(private readonly log: ControlLog) {}

  subscribe(listener: EventListener): void {
    this.listeners.add(listener);
  }

  /** Logs the event unless another server has done so, and tells the listeners; one that fails does not stop the rest. */
  publish(event: RASEvent, isForwarded = false): void {
    if (!isForwarded) this.log.info(formatRasEvent(event));
    for (const listener of this.listeners) {
      try {
        listener(event, isForwarded);
      } catch (error) {
        this.log.error(
          `handling of event ${event.id} failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}
