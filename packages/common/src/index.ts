export { DER, DER_UNKNOWN, derDescription, derName, type DerName } from './der.js';
export { DaosError, isDaosError } from './error.js';
export {
  HLC_EPSILON_DEFAULT,
  Hlc,
  hlcEpsilonBound,
  hlcEpsilonRound,
  hlcToMs,
  hlcToNs,
  hlcToUnixNs,
  nsToHlc,
  timespecToHlc,
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
export { objectIdEquals, objectIdIsNil, objectIdParse, objectIdToString, type ObjectId, type UnitOid } from './object_id.js';
export { UUID_NIL, isUuid, uuidFromBytes, uuidGenerate, uuidToBytes, type Uuid } from './uuid.js';
export { Crc64 } from './crc64.js';
export { dkeyHash, dkeyHashInto, dkeyToEcStart, dkeyToGroup } from './dkey.js';
export {
  Hash64,
  MURMUR_SEED_DKEY,
  MURMUR_SEED_VOS,
  hashMix64,
  hashMix96,
  hashedKey,
  jumpHash,
  murmur64,
  murmur64BigInt,
  stringHash32,
} from './hash64.js';
export {
  CLASS_ID_RP_XSF,
  CLASS_NAME_MAX,
  GROUPS_MAX,
  GROUP_SIZE_MAX,
  objectClassAllowedFailures,
  objectClassById,
  objectClassByName,
  objectClassIsValid,
  objectClassList,
  objectClassName,
  objectClassNames,
  type ObjectClass,
} from './object_class.js';
export {
  ClassHint,
  generateOid,
  objectClassFit,
  objectIdCheckRedundancy,
  objectIdClass,
  objectIdClassId,
  objectIdCycle,
  objectIdEncode,
  objectIdType,
  type ClassSpace,
  type FittedClass,
  type GenerateOidParams,
} from './object_id_generate.js';
export {
  OBJECT_TYPE_MAX,
  ObjectType,
  objectTypeFlavours,
  objectTypeHasIntegerDkeys,
  objectTypeIsArray,
  objectTypeIsFlat,
  objectTypeIsKv,
  objectTypeIsValid,
  type ObjectKeyFlavours,
} from './object_type.js';
export {
  ComponentFlag,
  ComponentStatus,
  ComponentType,
  componentStatusName,
  componentStatusParse,
  type PoolComponent,
} from './pool_component.js';
export { PoolMap, type PoolDomain, type PoolTarget } from './pool_map.js';
export { poolMapDeltaApply, poolMapDeltaEncode } from './pool_map_delta.js';
export { poolMapExtend, type MapExtension } from './pool_map_extend.js';
export {
  poolMapChanges,
  poolMapFailedTargets,
  poolMapFailedTargetsOfRank,
  poolMapTargetsOfRank,
  poolTargetIsUnavailable,
  type PoolMapChanges,
} from './pool_map_query.js';
export { poolMapFailureGuard, poolMapRedundancyVerify } from './pool_map_redundancy.js';
export { poolMapBuild, poolMapOfTree, type DomainTree, type PoolMapBuildParams } from './pool_map_build.js';
export {
  checksumAlgorithm,
  checksumAlgorithmByName,
  setCrc32Implementation,
  type ChecksumAlgorithm,
  type ChecksumState,
} from './checksum/algorithm.js';
export { Checksummer, type ChecksumSkips, type DescriptorChecksums } from './checksum/checksummer.js';
export {
  CHECKSUM_CHUNK_BYTES_DEFAULT,
  checksumChunkBytes,
  checksumChunkCount,
  checksumChunkPhase,
  checksumChunkRecords,
  checksumChunkRecx,
  checksumExtentCount,
} from './checksum/chunk.js';
export {
  CHECKSUM_LIST_BYTES_MAX,
  ChecksumInfoList,
  checksumInfoAt,
  checksumInfoBytes,
  checksumInfoCount,
  checksumInfoRead,
  checksumInfoWrite,
} from './checksum/info_list.js';
export { ioMapRange, type IoMap, type IoMapRange } from './checksum/io_map.js';
export { setDigestKernel, type DigestKernel } from './checksum/kernel.js';
export {
  cellChecksums,
  checksumsEqual,
  iodChecksums,
  iodChecksumsVerify,
  keyChecksum,
  recxChecksums,
  recxChecksumsVerify,
  type IodChecksums,
} from './checksum/iod_checksums.js';
export { type Value as ChecksumValue } from './checksum/scattered.js';
export {
  ChecksumType,
  checksumTypeIsEnabled,
  checksumTypeIsValid,
  checksumTypeOfProperty,
  checksumTypeToProperty,
} from './checksum/type.js';
export {
  ACL_CONTAINER_DEFAULT,
  ACL_POOL_DEFAULT,
  Acl,
  aclContainerPermissions,
  aclPermissions,
  aclPrincipalParse,
  type Ownership,
  type Requester,
} from './acl.js';
export {
  AccessType,
  AceFlag,
  Permission,
  PrincipalType,
  aceFault,
  aceFormat,
  aceParse,
  acePrincipalText,
  aceVerbose,
  principalIsValid,
  type AclEntry,
} from './acl_entry.js';
export {
  ContCapability,
  ContOpenFlag,
  PoolCapability,
  PoolConnectFlag,
  contCapabilities,
  contOpenFlagsValid,
  poolCapabilities,
  poolConnectFlagsValid,
} from './capability.js';
export {
  CONTAINER_PROPERTIES,
  ContLayout,
  ContProp,
  contStatusPack,
  contStatusUnpack,
  containerLayoutByName,
  containerLayoutName,
  type ContStatus,
} from './container_property.js';
export { CONTAINER_LABEL_NOT_SET, POOL_LABEL_NOT_SET, isLabel } from './label.js';
export { EC_CELL, OWNER_NOBODY, POOL_PROPERTIES, PoolProp } from './pool_property.js';
export { type Property, type PropertySettable, type PropertyValue } from './property.js';
export { PROPERTIES_MAX, PropertyTable, propertiesMerge, type PropertyEntry } from './property_table.js';
export { formatBinaryBytes, formatBytes, parseSize } from './size.js';
export { MapOp, poolMapUpdate, type MapUpdate } from './pool_map_update.js';
export { lmdbFileState, type LmdbFileState } from './lmdb_file.js';
