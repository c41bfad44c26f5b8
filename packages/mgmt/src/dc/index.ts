export {
  dcMgmtPoolFind,
  dcMgmtPoolGetSvcRanks,
  dcMgmtPoolList,
  type DcMgmtOptions,
  type MgmtPool,
} from './pool.js';
