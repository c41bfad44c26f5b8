export { LocalSystem, CONTAINER_LABEL, POOL_LABEL, type LocalSystemOptions } from './local_system.js';
export { compareTrees, treeSize, type TreeSize } from './tree.js';
export { findFreePorts } from './ports.js';
