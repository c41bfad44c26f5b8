export { vosPoolCreate, vosPoolDestroy, vosPoolOpen, type VosPoolOpenParams } from './pool_files.js';
export type * from './types.js';
