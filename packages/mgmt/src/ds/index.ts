export { mgmtModule } from './module.js';
export { findPoolByLabel, findPoolByUuid, listPools, type ServicePool } from './upcall.js';
