import { aclContainerPermissions, aclPermissions, type Acl, type Ownership } from '@daos/common';

import { allGroups, type AuthSys } from '../auth.js';
import {
  ContCapability,
  PoolCapability,
  PoolConnectFlag,
  contCapabilities,
  fullContCapabilities,
  poolCapabilities,
} from '../capability.js';

/**
 * Capabilities of a new pool handle (`PoolCapability` bits; 0: refuse with DER_NO_PERM).
 * Throws DER_INVAL when `flags` is not one of `PoolConnectFlag`.
 */
export function dsSecPoolCapabilities(acl: Acl | undefined, ownership: Ownership, who: AuthSys, flags: number): number {
  return poolCapabilities(aclPermissions(acl, ownership, requester(who)), flags);
}

/**
 * Capabilities of a new container handle (`ContCapability` bits; 0: refuse with DER_NO_PERM).
 * Throws DER_INVAL for a bad combination of `ContOpenFlag` bits.
 */
export function dsSecContCapabilities(acl: Acl | undefined, ownership: Ownership, who: AuthSys, flags: number): number {
  const permissions = aclContainerPermissions(acl, ownership, requester(who));
  return contCapabilities(permissions, isOwner(ownership, who), flags);
}

/**
 * Whether the holder of a pool handle may destroy this container although the handle may not destroy any: by the
 * container's own list, and only through a handle that was not connected read-only.
 */
export function dsSecContCanDelete(acl: Acl | undefined, ownership: Ownership, who: AuthSys, poolFlags: number): boolean {
  if (poolFlags & PoolConnectFlag.RO) return false;
  const permissions = aclContainerPermissions(acl, ownership, requester(who));
  return (fullContCapabilities(permissions, isOwner(ownership, who)) & ContCapability.DELETE) !== 0;
}

/** Rebuild reads and writes data whatever the lists say. */
export const REBUILD_CONT_CAPABILITIES = ContCapability.READ_DATA | ContCapability.WRITE_DATA;
/** What the administrator may do. */
export const ADMIN_POOL_CAPABILITIES = PoolCapability.ALL;
export const ADMIN_CONT_CAPABILITIES = ContCapability.ALL;

function requester(who: AuthSys): { user: string; groups: readonly string[] } {
  return { user: who.user, groups: [...allGroups(who)] };
}

function isOwner(ownership: Ownership, who: AuthSys): boolean {
  return who.user === ownership.user;
}
