import { DaosError } from '@daos/common';

import type { DcPool } from './pool.js';
import type { DcOptions, DcSystem } from './system.js';

export interface DcPoolConnectOptions extends DcOptions {
  /** Default `ro`. */
  readonly mode?: 'ro' | 'rw' | 'ex' | undefined;
}

/**
 * Opens a pool by label or UUID. DER_NONEXIST for an unknown pool, DER_NO_PERM when its ACL refuses the caller,
 * DER_BUSY when an exclusive handle is in the way.
 */
export async function dcPoolConnect(_system: DcSystem, _labelOrUuid: string, _options: DcPoolConnectOptions = {}): Promise<DcPool> {
  throw new DaosError('NOSYS');
}
