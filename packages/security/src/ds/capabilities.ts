import {
  ContCapability,
  ContOpenFlag,
  DaosError,
  PoolConnectFlag,
  aclContainerPermissions,
  aclPermissions,
  contCapabilities,
  contOpenFlagsValid,
  poolCapabilities,
  poolConnectFlagsValid,
  type Acl,
  type Ownership,
  type Requester,
} from '@daos/common';

import { allGroups, type AuthSys } from '../auth.js';

/**
 * Capabilities of a new pool handle (`PoolCapability` bits; 0: refuse with DER_NO_PERM).
 * Throws DER_INVAL when `flags` is not one of `PoolConnectFlag`.
 */
export function dsSecPoolCapabilities(acl: Acl | undefined, ownership: Ownership, who: AuthSys, flags: number): number {
  if (!poolConnectFlagsValid(flags)) {
    throw new DaosError('INVAL', `${flags} is not a mode of a pool connection (1 read-only, 2 read-write, 4 exclusive)`);
  }
  return poolCapabilities(aclPermissions(acl, ownership, requester(who)), flags);
}

/**
 * Capabilities of a new container handle (`ContCapability` bits; 0: refuse with DER_NO_PERM).
 * Throws DER_INVAL for a bad combination of `ContOpenFlag` bits.
 */
export function dsSecContCapabilities(acl: Acl | undefined, ownership: Ownership, who: AuthSys, flags: number): number {
  if (!contOpenFlagsValid(flags)) {
    throw new DaosError('INVAL', `0x${flags.toString(16)} are not flags with which a container can be opened`);
  }
  const permissions = aclContainerPermissions(acl, ownership, requester(who));
  return contCapabilities(permissions, who.user === ownership.user, flags);
}

/**
 * Whether the holder of a pool handle may destroy this container although the handle may not destroy any: by the
 * container's own list, as if it were opened in the mode of the pool handle (`PoolConnectFlag`).
 */
export function dsSecContCanDelete(acl: Acl | undefined, ownership: Ownership, who: AuthSys, poolFlags: number): boolean {
  const flags = poolFlags & PoolConnectFlag.RO ? ContOpenFlag.RO : ContOpenFlag.RW;
  return (dsSecContCapabilities(acl, ownership, who, flags) & ContCapability.DELETE) !== 0;
}

/** Rebuild reads and writes data whatever the lists say. */
export const REBUILD_CONT_CAPABILITIES = ContCapability.READ_DATA | ContCapability.WRITE_DATA;
/** What the administrator may do. */
export const ADMIN_CONT_CAPABILITIES = Object.values(ContCapability).reduce((all: number, bit) => all | bit, 0);

function requester(who: AuthSys): Requester {
  return { user: who.user, groups: [...allGroups(who)] };
}
