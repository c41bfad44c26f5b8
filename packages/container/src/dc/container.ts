import type { Epoch, Uuid } from '@daos/common';
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

export interface DcContApi {
  dcContCreate(pool: DcPool, options?: DcContCreateOptions): Promise<Uuid>;
  /** `flags`: ContOpenFlag; RO when absent. */
  dcContOpen(pool: DcPool, labelOrUuid: string, options?: DcOptions & { flags?: number }): Promise<DcCont>;
  dcContDestroy(pool: DcPool, labelOrUuid: string, options?: DcOptions & { force?: boolean }): Promise<void>;
  dcContList(pool: DcPool, options?: DcOptions): Promise<{ uuid: Uuid; label: string | undefined }[]>;
  dcContClose(cont: DcCont, options?: DcOptions): Promise<void>;
  dcContQuery(cont: DcCont, options?: DcOptions): Promise<ContInfo>;
  dcContGetProps(cont: DcCont, numbers?: readonly number[], options?: DcOptions): Promise<PropEntry[]>;
  dcContSetProps(cont: DcCont, props: readonly PropEntry[], options?: DcOptions): Promise<void>;
  dcContSetAttrs(cont: DcCont, attrs: Readonly<Record<string, Uint8Array>>, options?: DcOptions): Promise<void>;
  dcContGetAttrs(cont: DcCont, names: readonly string[], options?: DcOptions): Promise<(Uint8Array | undefined)[]>;
  dcContListAttrs(cont: DcCont, options?: DcOptions): Promise<string[]>;
  dcContDelAttrs(cont: DcCont, names: readonly string[], options?: DcOptions): Promise<void>;
  /** First of `count` consecutive object ids (`lo` values). */
  dcContAllocOids(cont: DcCont, count: number, options?: DcOptions): Promise<bigint>;
  dcContCreateSnapshot(cont: DcCont, options?: DcOptions): Promise<Epoch>;
  dcContListSnapshots(cont: DcCont, options?: DcOptions): Promise<Epoch[]>;
  dcContDestroySnapshot(cont: DcCont, epoch: Epoch, options?: DcOptions): Promise<void>;
}
