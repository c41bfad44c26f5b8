export type { PeerCredentials, UserNames } from './addon.js';
export { crc32c, crc32cChunks, crc32cImplementation } from './checksum.js';
export { digestUpdate } from './digest.js';
export {
  alignedBuffer,
  fileAllocate,
  fileRead,
  fileReadNow,
  fileSize,
  fileWrite,
  isAligned,
  type FileRun,
} from './file_io.js';
export {
  PACKET_BYTES_MAX,
  SOCKET_PATH_BYTES_MAX,
  SeqPacketServer,
  SeqPacketSocket,
  checkSocketPath,
  type SeqPacketHandlers,
} from './seqpacket.js';
export { Uring } from './uring.js';
export { userNames } from './user.js';
