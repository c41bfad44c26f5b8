export { allGroups, credentialOrigin, type AuthSys } from './auth.js';
export {
  ContCapability,
  ContOpenFlag,
  PoolCapability,
  PoolConnectFlag,
  canConnectPool,
  canCreateContainer,
  canDeleteAnyContainer,
  canGetProperties,
  canOpenContainer,
  canReadData,
  canSetProperties,
  canWriteData,
  checkContOpenFlags,
  contCapabilities,
  poolCapabilities,
  type PropertyClasses,
} from './capability.js';
