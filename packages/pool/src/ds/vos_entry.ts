import * as vos from '@daos/vos';
import type { VosPool, VosPoolCreateParams } from '@daos/vos';

// Until the functions are exported under their types.
const entry = vos as unknown as {
  vosPoolCreate(params: VosPoolCreateParams): Promise<unknown>;
  vosPoolOpen(dir: string): Promise<VosPool>;
};

export const vosPoolCreate: typeof entry.vosPoolCreate = (params) => entry.vosPoolCreate(params);
export const vosPoolOpen: typeof entry.vosPoolOpen = (dir) => entry.vosPoolOpen(dir);
