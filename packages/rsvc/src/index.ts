export { MapDistributor } from './map_distributor.js';
export { NotLeaderError, notReplica, type LeaderHint } from './not_leader.js';
export { RsvcRegistry, type RsvcClass, type RsvcStartOptions } from './registry.js';
export { RwLock } from './rw_lock.js';
export { RsvcService, type RsvcLeader, type RsvcState } from './service.js';
