export { dcPoolConnect, type DcPoolConnectOptions } from './connect.js';
export { LeaderSearch, type TryOutcome } from './leader_search.js';
export type { DcPool } from './pool.js';
export { dcRsvcCall, isRetryable, type ServiceAnswer, type ServicePeer } from './service_call.js';
export type { DcOptions, DcSystem, FoundPool } from './system.js';
