import type { Uuid } from '@daos/common';
import type { DcOptions, DcPool } from '@daos/pool/dc';
import type { PropEntry } from '@daos/pool/rpc';

import type { ContChecksum, ContInfo } from '../types.js';

/** A container handle. Every call throws DER_NO_HDL when the handle was closed or evicted. */
export interface DcCont {
  readonly pool: DcPool;
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly handle: Uuid;
  /** Open flags (ContOpenFlag). */
  readonly flags: number;
  readonly writable: boolean;
  /** Capability bits (ContCapa). */
  readonly capas: number;
  readonly checksum: ContChecksum | undefined;
  /** rd_fac, rd_lvl and the object layout version, for placement. */
  readonly redundancyFactor: number;
  readonly redundancyLevel: number;
  readonly objectVersion: number;
  /** As the open reply had it. */
  readonly info: ContInfo;
}

export interface DcContCreateOptions extends DcOptions {
  readonly uuid?: Uuid | undefined;
  readonly label?: string | undefined;
  readonly props?: readonly PropEntry[] | undefined;
}
