export type { PeerCredentials, UserNames } from './addon.js';
export { crc32c, crc32cChunks, crc32cImplementation } from './checksum.js';
export { digestUpdate } from './digest.js';
export { fileAllocate, fileRead, fileReadNow, fileSize, fileWrite, type FileRun } from './file_io.js';
export {
  PACKET_BYTES_MAX,
  SOCKET_PATH_BYTES_MAX,
  SeqPacketServer,
  SeqPacketSocket,
  checkSocketPath,
  type SeqPacketHandlers,
} from './seqpacket.js';
export { userNames } from './user.js';
