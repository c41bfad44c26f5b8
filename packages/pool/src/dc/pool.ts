import type { PoolMap, Uuid } from '@daos/common';

import type { PoolContainer, PoolQueryResult, PoolTargetInfo, PropEntry } from '../types.js';
import type { ServiceRpc } from '../service_rpc.js';
import type { ServiceAnswer } from './service_call.js';
import type { DcOptions, DcSystem } from './system.js';

/** A pool handle. Every call throws DER_NO_HDL when the handle was disconnected or evicted. */
export interface DcPool {
  readonly system: DcSystem;
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly handle: Uuid;
  /** Connect flag that was granted (PoolConnectFlag). */
  readonly flags: number;
  readonly writable: boolean;
  /** The newest map seen. */
  readonly map: PoolMap;
  readonly mapVersion: number;
  /** A newer version was seen in some reply: `refreshMap` when the next layout is computed. */
  noteMapVersion(version: number): void;
  /** Fetches the map if there is a newer one; concurrent calls share one request. */
  refreshMap(options?: DcOptions): Promise<PoolMap>;
  /** `bits`: PoolQueryBit, default SPACE and REBUILD_STATUS and ENGINES_*. */
  query(options?: DcOptions & { bits?: number }): Promise<PoolQueryResult>;
  queryTarget(rank: number, target: number, options?: DcOptions): Promise<PoolTargetInfo>;
  /** Properties by number, all when none are listed. */
  getProps(numbers?: readonly number[], options?: DcOptions): Promise<PropEntry[]>;
  listContainers(options?: DcOptions): Promise<PoolContainer[]>;
  setAttrs(attrs: Readonly<Record<string, Uint8Array>>, options?: DcOptions): Promise<void>;
  /** One per name; undefined where the name does not exist. DER_NONEXIST when none of them exists. */
  getAttrs(names: readonly string[], options?: DcOptions): Promise<(Uint8Array | undefined)[]>;
  listAttrs(options?: DcOptions): Promise<string[]>;
  delAttrs(names: readonly string[], options?: DcOptions): Promise<void>;
  /** Calls the pool's service under this handle; notes the map version of the reply. For the services of a pool. */
  call<Req, Rep>(rpc: ServiceRpc<Req, Rep>, body: Req, options?: DcOptions): Promise<ServiceAnswer<Rep>>;
  /** Closes the handle, and the containers opened through it, at the service. */
  disconnect(options?: DcOptions): Promise<void>;
}
