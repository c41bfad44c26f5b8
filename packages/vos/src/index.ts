export { vosPoolCreate, vosPoolDestroy, vosPoolOpen } from './pool_files.js';
export type * from './types.js';
