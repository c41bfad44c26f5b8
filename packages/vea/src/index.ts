export { VEA_BITMAP_CLASS_MAX, type ChunkState } from './chunk.js';
export {
  VEA_BLOCKS_MAX,
  VEA_BLOCKS_MIN,
  VEA_BLOCK_BYTES,
  VEA_COMPAT_BITMAP,
  VEA_MAGIC,
  type VeaDescriptor,
  type VeaFormat,
} from './descriptor.js';
export { VEA_FLUSH_INTERVAL_MS, VEA_QUARANTINE_MS } from './flusher.js';
export { VeaHint, VeaIoStream } from './hint.js';
export type { VeaReservation } from './reservation.js';
export type { VeaAttributes, VeaBitmap, VeaStatistics } from './statistics.js';
export type { VeaChunkRow, VeaExtent, VeaHintRow, VeaStore, VeaWordsRow } from './store.js';
export { VeaTx } from './tx.js';
export { Vea, type VeaFlush, type VeaOptions } from './vea.js';
