import type { Uuid } from '@daos/common';

import type { PropEntry } from '../types.js';

/** Sizes of a pool on one rank, in bytes per target. */
export interface PoolTgtCreateParams {
  readonly poolUuid: Uuid;
  readonly scmBytesPerTarget: number;
  /** 0: all values live in the SCM tier. */
  readonly nvmeBytesPerTarget: number;
}

export interface PoolSvcCreateParams {
  readonly poolUuid: Uuid;
  /** Undefined: the pool has no label. */
  readonly label: string | undefined;
  /** Ranks that hold storage of the pool. */
  readonly ranks: readonly number[];
  readonly targetsPerRank: number;
  /** Ranks of the service's replicas; chosen from `ranks` by the service redundancy when absent. */
  readonly svcRanks?: readonly number[] | undefined;
  /** Properties beyond label, owner, group and ACL. */
  readonly props: readonly PropEntry[];
  /** Principals, `user@` and `group@`. */
  readonly owner: string;
  readonly group: string;
  /** Entries in string form; the default pool ACL when absent. */
  readonly acl?: readonly string[] | undefined;
  /** Compressed fault-domain tree as daos_server sends it; every rank a node of its own when absent or empty. */
  readonly faultDomains?: readonly number[] | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A pool's service as the administrator's calls address it. */
export interface PoolSvcTarget {
  readonly poolUuid: Uuid;
  /** Where replicas are known to be; DER_NOTREPLICA answers are followed by their hints. */
  readonly svcRanks: readonly number[];
  /** Deadline in ms; default 60 s. */
  readonly timeoutMs?: number | undefined;
}

export interface PoolEvictParams {
  /** Handles to evict; all when neither handles nor machine are given. */
  readonly handles?: readonly Uuid[] | undefined;
  readonly machine?: string | undefined;
}

/** An ACL with its owners, entries in string form. */
export type { PoolAcl } from './ops/acl.js';
