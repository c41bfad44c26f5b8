export { BioFile, type BioFileOpenOptions, type BioFileOptions, type ReadRange } from './bio_file.js';
export type { BlockIo, WriteRun } from './block_io.js';
export { BUFFER_ALIGNMENT_BYTES, BufferLease, BufferPool, type BufferPoolStatistics } from './buffer_pool.js';
export { BioDevice, type DeviceEvent, type DeviceOptions, type DeviceReactions } from './device/device.js';
export { deviceFolderFormat, deviceFolderRead } from './device/device_folder.js';
export { DeviceSet, type DeviceReport, type DeviceSetOptions, type FoundDevice } from './device/device_set.js';
export {
  AUTO_FAULTY_DEFAULT, autoFaultyReason, type AutoFaultyCriteria, type ErrorCounts, type MediaErrorKind,
} from './device/health.js';
export { DeviceLed, type LedState } from './device/led.js';
export { DeviceMonitor } from './device/monitor.js';
export { DeviceRole, roleHolder, type RoleBit, type RoleBits } from './device/roles.js';
export { DeviceFlag, deviceStateMayFollow, reportedState, type DeviceState, type ReportedState } from './device/state.js';
export {
  IoDescriptor, type BioAddress, type BioRegion, type DescriptorMedia, type DescriptorType, type ScmMedia,
} from './descriptor/io_descriptor.js';
export { DirectIo } from './direct_io.js';
export { DATA_THRESHOLD_BYTES_DEFAULT, Media, mediaSelect, type MediaChoice, type MediaType } from './media.js';
export { NativeIo } from './native_io.js';
export { NodeIo } from './node_io.js';
export { openIo, type Access, type OpenIoOptions } from './open_io.js';
export { smdAssign, type AssignParams } from './smd/assign.js';
export { SMD_TARGETS_MAX, SYS_TARGET_ID, type SmdDeviceState } from './smd/rows.js';
export { SMD_VERSION, SmdDb } from './smd/smd_db.js';
export {
  smdCtrlrGet,
  smdCtrlrSet,
  smdDevAddTgt,
  smdDevDelTgt,
  smdDevGetById,
  smdDevGetByTgt,
  smdDevList,
  smdDevReplace,
  smdDevRoles,
  smdDevSetState,
  type SmdDevice,
} from './smd/smd_device.js';
export {
  smdPoolAddTgt,
  smdPoolDelTgt,
  smdPoolGetBlob,
  smdPoolGetInfo,
  smdPoolGetScmBytes,
  smdPoolList,
  smdPoolMarkReady,
  smdPoolReplaceBlobs,
  smdRdbAddTgt,
  smdRdbDelTgt,
  smdRdbGetBlob,
  smdRdbList,
  type SmdBlob,
  type SmdPool,
} from './smd/smd_pool.js';
export { BLOCK_BYTES as BIO_BLOCK_BYTES } from './superblock.js';
export { UringIo } from './uring_io.js';
export { QUEUED_BYTES_MAX as BIO_QUEUED_BYTES_MAX } from './write_queue.js';
