export { dcPoolConnect, type DcPoolConnectOptions } from './connect.js';
export type { DcPool } from './pool.js';
export type { DcOptions, DcSystem, FoundPool } from './system.js';
