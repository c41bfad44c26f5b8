export { DER, DER_UNKNOWN, derDescription, derName, type DerName } from './der.js';
export { DaosError, isDaosError } from './error.js';
export {
  HLC_EPSILON_DEFAULT,
  Hlc,
  hlcEpsilonBound,
  hlcToMs,
  hlcToNs,
  hlcToUnixNs,
  unixMsToHlc,
  unixNsToHlc,
} from './hlc.js';
export {
  Cond,
  EPOCH_MAX,
  IodType,
  QueryFlag,
  type Epoch,
  type EpochRange,
  type Iod,
  type KeyFlavour,
  type Recx,
} from './io.js';
export { objectIdEquals, objectIdParse, objectIdToString, type ObjectId, type UnitOid } from './object_id.js';
export { UUID_NIL, isUuid, uuidFromBytes, uuidGenerate, uuidToBytes, type Uuid } from './uuid.js';
