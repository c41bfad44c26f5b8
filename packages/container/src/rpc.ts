export { ContCapa, ContOpenFlag, type ContChecksum, type ContInfo } from './types.js';
