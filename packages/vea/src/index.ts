export { VeaHint } from './hint.js';
export {
  VEA_BLOCKS_MAX,
  VEA_BLOCKS_MIN,
  VEA_BLOCK_BYTES,
  VEA_QUARANTINE_MS,
  Vea,
  VeaTx,
  type VeaOptions,
  type VeaReservation,
  type VeaStatistics,
  type VeaStore,
} from './vea.js';
