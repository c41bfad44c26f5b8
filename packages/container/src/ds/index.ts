export { ContService, type ContGrant, type ContServiceHost } from './cont_service.js';
export type { DsContHandle } from './handle.js';
export { contModule } from './module.js';
export { dsContHandleLookup } from './target.js';
