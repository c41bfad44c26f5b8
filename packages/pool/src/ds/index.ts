import { DaosError, type Uuid } from '@daos/common';
import type { EngineModule, Xstream } from '@daos/engine';

import type { PoolContainer, PoolQueryResult, PoolTargetInfo, PropEntry } from '../types.js';
import type { PoolEvictParams, PoolSvcCreateParams, PoolSvcTarget, PoolTgtCreateParams } from './api.js';

export type { PoolEvictParams, PoolSvcCreateParams, PoolSvcTarget, PoolTgtCreateParams } from './api.js';

async function later(): Promise<never> {
  throw new DaosError('NOSYS');
}

/* All run in the system xstream of any engine. */

/** Creates the pool's storage on this engine's targets. DER_ALREADY never: an existing complete pool is success. DER_NOSPACE. */
export const dsPoolTgtCreate: (xs: Xstream, params: PoolTgtCreateParams) => Promise<void> = later;
/** Removes the pool's storage from this engine. Nothing there is success. */
export const dsPoolTgtDestroy: (xs: Xstream, poolUuid: Uuid) => Promise<void> = later;
/** Creates the pool service (idempotent). Returns where its replicas are. */
export const dsPoolSvcCreate: (xs: Xstream, params: PoolSvcCreateParams) => Promise<{ svcRanks: number[]; leaderRank: number }> = later;
/**
 * Prepares a destroy: refuses with DER_BUSY while handles are open (unless `force`) or containers exist (unless
 * `recursive` or `force`), then evicts all handles and lets nobody connect. The replicas go with dsPoolTgtDestroy.
 */
export const dsPoolSvcDestroy: (xs: Xstream, pool: PoolSvcTarget, options: { force: boolean; recursive: boolean }) => Promise<void> = later;
/** `bits`: PoolQueryBit. */
export const dsPoolSvcQuery: (xs: Xstream, pool: PoolSvcTarget, bits?: number) => Promise<PoolQueryResult> = later;
/** All properties when no numbers are listed. */
export const dsPoolSvcGetProp: (xs: Xstream, pool: PoolSvcTarget, numbers?: readonly number[]) => Promise<PropEntry[]> = later;
export const dsPoolSvcSetProp: (xs: Xstream, pool: PoolSvcTarget, props: readonly PropEntry[]) => Promise<void> = later;

/** An ACL with its owners, entries in string form. */
export interface PoolAcl {
  readonly entries: readonly string[];
  readonly owner: string;
  readonly group: string;
}
/* All four return the ACL as it is afterwards. */
export const dsPoolSvcGetAcl: (xs: Xstream, pool: PoolSvcTarget) => Promise<PoolAcl> = later;
export const dsPoolSvcOverwriteAcl: (xs: Xstream, pool: PoolSvcTarget, entries: readonly string[]) => Promise<PoolAcl> = later;
export const dsPoolSvcUpdateAcl: (xs: Xstream, pool: PoolSvcTarget, entries: readonly string[]) => Promise<PoolAcl> = later;
/** `principal`: `OWNER@`, `GROUP@`, `EVERYONE@`, `u:name@` or `g:name@`. DER_NONEXIST when it has no entry. */
export const dsPoolSvcDeleteAcl: (xs: Xstream, pool: PoolSvcTarget, principal: string) => Promise<PoolAcl> = later;
/** Returns the number of handles evicted. */
export const dsPoolSvcEvict: (xs: Xstream, pool: PoolSvcTarget, params: PoolEvictParams) => Promise<number> = later;
export const dsPoolSvcListContainers: (xs: Xstream, pool: PoolSvcTarget) => Promise<PoolContainer[]> = later;
/** All targets of the rank when none are listed. DER_NONEXIST for an unknown rank or target. */
export const dsPoolQueryTargets: (xs: Xstream, pool: PoolSvcTarget, rank: number, targets?: readonly number[]) => Promise<PoolTargetInfo[]> = later;

export const poolModule: EngineModule = { name: 'pool', id: 2, version: 7, start: later };
