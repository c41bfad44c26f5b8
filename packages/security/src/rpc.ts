export {
  canConnectPool,
  canCreateContainer,
  canDeleteAnyContainer,
  canGetProperties,
  canOpenContainer,
  canReadData,
  canSetProperties,
  canWriteData,
  type PropertyClasses,
} from './access.js';
export { allGroups, credentialOrigin, type AuthSys } from './auth.js';
