export type { DcCont, DcContCreateOptions } from './container.js';
export { dcContDelAttrs, dcContGetAttrs, dcContListAttrs, dcContSetAttrs } from './attr.js';
export { dcContClose, dcContCreate, dcContDestroy, dcContList, dcContOpen } from './lifecycle.js';
export {
  dcContAllocOids,
  dcContCreateSnapshot,
  dcContDeleteAcl,
  dcContDestroySnapshot,
  dcContGetProps,
  dcContListSnapshots,
  dcContQuery,
  dcContSetProps,
  dcContUpdateAcl,
} from './metadata.js';
