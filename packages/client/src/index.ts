export type * from './types.js';
export { daosInit } from './daos.js';
export { integerKey, integerKeyValue } from './keys.js';
