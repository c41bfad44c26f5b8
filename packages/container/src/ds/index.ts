export { ContService, type ContGrant, type ContServiceHost } from './cont_service.js';
export type { DsContHandle } from './handle.js';
export { contModule, contModuleWith } from './module.js';
export type { ContModuleOptions } from './options.js';
export { dsContHandleLookup } from './target.js';
