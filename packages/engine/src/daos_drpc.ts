import { DaosError } from '@daos/common';

import type { DrpcPort } from './drpc_port.js';

/** dRPC over SOCK_SEQPACKET, as DAOS's daos_server speaks it. */
export const daosDrpc: DrpcPort = {
  async listen() {
    throw new DaosError('NOSYS');
  },
  async call() {
    throw new DaosError('NOSYS');
  },
};
