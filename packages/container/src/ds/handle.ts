import type { Uuid } from '@daos/common';
import type { VosObjects } from '@daos/vos';

import type { ContChecksum } from '../types.js';

/** An open container on one target, as the object service uses it. */
export interface DsContHandle {
  readonly handle: Uuid;
  readonly poolUuid: Uuid;
  readonly containerUuid: Uuid;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly container: VosObjects;
  /** Version of the pool map this target knows now. */
  readonly poolMapVersion: number;
  readonly checksum: ContChecksum | undefined;
}
