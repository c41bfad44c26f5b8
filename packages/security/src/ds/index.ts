export {
  ADMIN_CONT_CAPABILITIES,
  REBUILD_CONT_CAPABILITIES,
  dsSecContCanDelete,
  dsSecContCapabilities,
  dsSecPoolCapabilities,
} from './capabilities.js';
export { dsSecValidateCredential } from './validate.js';
