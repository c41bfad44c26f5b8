import type { ControlLog, RpcTransport } from '@daos/control';

import type { ServerConfig } from './config/server_config.js';
import type { EventHub } from './events/event_hub.js';
import type { Harness } from './harness/harness.js';
import type { HostCaller } from './system/host_caller.js';
import type { ManagementService } from './system/management_service.js';

/** The parts of a running server that its RPC handlers work with. */
export interface ServerContext {
  readonly config: ServerConfig;
  readonly log: ControlLog;
  readonly harness: Harness;
  readonly ms: ManagementService;
  readonly events: EventHub;
  /** This server's calls to others. */
  readonly transport: RpcTransport;
  readonly hosts: HostCaller;
}
