import { DaosError } from '@daos/common';

import type { DcContApi } from './container.js';

export type { DcCont, DcContApi, DcContCreateOptions } from './container.js';

async function later(): Promise<never> {
  throw new DaosError('NOSYS');
}

export const dcContCreate: DcContApi['dcContCreate'] = later;
export const dcContOpen: DcContApi['dcContOpen'] = later;
export const dcContDestroy: DcContApi['dcContDestroy'] = later;
export const dcContList: DcContApi['dcContList'] = later;
export const dcContClose: DcContApi['dcContClose'] = later;
export const dcContQuery: DcContApi['dcContQuery'] = later;
export const dcContGetProps: DcContApi['dcContGetProps'] = later;
export const dcContSetProps: DcContApi['dcContSetProps'] = later;
export const dcContSetAttrs: DcContApi['dcContSetAttrs'] = later;
export const dcContGetAttrs: DcContApi['dcContGetAttrs'] = later;
export const dcContListAttrs: DcContApi['dcContListAttrs'] = later;
export const dcContDelAttrs: DcContApi['dcContDelAttrs'] = later;
export const dcContAllocOids: DcContApi['dcContAllocOids'] = later;
export const dcContCreateSnapshot: DcContApi['dcContCreateSnapshot'] = later;
export const dcContListSnapshots: DcContApi['dcContListSnapshots'] = later;
export const dcContDestroySnapshot: DcContApi['dcContDestroySnapshot'] = later;
