import { DaosError, Permission } from '@daos/common';

/** What a pool handle may do. */
export const PoolCapability = { READ: 1, CREATE_CONT: 2, DEL_CONT: 4, ALL: 7 } as const;

/** How a pool is connected: exactly one. */
export const PoolConnectFlag = { RO: 1, RW: 2, EX: 4 } as const;

/** What a container handle may do. */
export const ContCapability = {
  READ_DATA: 0x1,
  WRITE_DATA: 0x2,
  GET_PROP: 0x4,
  SET_PROP: 0x8,
  GET_ACL: 0x10,
  SET_ACL: 0x20,
  SET_OWNER: 0x40,
  DELETE: 0x80,
  OPEN_EX: 0x100,
  EVICT_ALL: 0x200,
  ALL: 0x3ff,
} as const;

/** How a container is opened: exactly one of RO, RW, EX, and more. */
export const ContOpenFlag = {
  RO: 0x1,
  RW: 0x2,
  EX: 0x4,
  FORCE: 0x8,
  RO_MDSTATS: 0x10,
  EVICT: 0x20,
  EVICT_ALL: 0x40,
} as const;

const CONT_READ_CLASS = ContCapability.READ_DATA | ContCapability.GET_PROP | ContCapability.GET_ACL;
const CONT_WRITE_CLASS =
  ContCapability.WRITE_DATA | ContCapability.SET_PROP | ContCapability.SET_ACL | ContCapability.SET_OWNER;
const CONT_FLAGS_ALL = 0x7f;

/**
 * Capabilities of a pool handle from permissions and the mode of the connection; 0: none at all.
 * Throws DER_INVAL when `flags` is not exactly one of RO, RW, EX.
 */
export function poolCapabilities(permissions: number, flags: number): number {
  if (flags !== PoolConnectFlag.RO && flags !== PoolConnectFlag.RW && flags !== PoolConnectFlag.EX) {
    throw new DaosError('INVAL', `${flags} is not a mode of a pool connection (1 read-only, 2 read-write, 4 exclusive)`);
  }
  let capabilities = 0;
  if (permissions & (Permission.READ | Permission.GET_PROP)) capabilities |= PoolCapability.READ;
  if (permissions & (Permission.WRITE | Permission.CREATE_CONT)) capabilities |= PoolCapability.CREATE_CONT;
  if (permissions & (Permission.WRITE | Permission.DEL_CONT)) capabilities |= PoolCapability.DEL_CONT;
  if (flags === PoolConnectFlag.RO) return capabilities & PoolCapability.READ;
  const isUseful = (capabilities & PoolCapability.READ) !== 0 && (capabilities & ~PoolCapability.READ) !== 0;
  return isUseful ? capabilities : 0;
}

/** Throws DER_INVAL for a combination of open flags that makes no sense. */
export function checkContOpenFlags(flags: number): void {
  const mode = flags & (ContOpenFlag.RO | ContOpenFlag.RW | ContOpenFlag.EX);
  const isOne = mode === ContOpenFlag.RO || mode === ContOpenFlag.RW || mode === ContOpenFlag.EX;
  const evict = (flags & ContOpenFlag.EVICT) !== 0;
  const evictAll = (flags & ContOpenFlag.EVICT_ALL) !== 0;
  const isSane = isOne && (flags & ~CONT_FLAGS_ALL) === 0 && !(evict && mode === ContOpenFlag.EX);
  if (!isSane || (evict && evictAll) || (evictAll && mode !== ContOpenFlag.EX)) {
    throw new DaosError('INVAL', `0x${flags.toString(16)} are not flags with which a container can be opened`);
  }
}

/**
 * Capabilities of a container handle from permissions and open flags; 0: none at all.
 * Throws DER_INVAL for bad flags.
 */
export function contCapabilities(permissions: number, isOwner: boolean, flags: number): number {
  checkContOpenFlags(flags);
  return filterContCapabilities(fullContCapabilities(permissions, isOwner), flags);
}

/** All that permissions give, before the open flags take away. */
export function fullContCapabilities(permissions: number, isOwner: boolean): number {
  let capabilities = isOwner ? ContCapability.OPEN_EX | ContCapability.EVICT_ALL : 0;
  const pairs = [
    [Permission.READ, ContCapability.READ_DATA],
    [Permission.WRITE, ContCapability.WRITE_DATA],
    [Permission.GET_PROP, ContCapability.GET_PROP],
    [Permission.SET_PROP, ContCapability.SET_PROP],
    [Permission.GET_ACL, ContCapability.GET_ACL],
    [Permission.SET_ACL, ContCapability.SET_ACL],
    [Permission.SET_OWNER, ContCapability.SET_OWNER],
    [Permission.DEL_CONT, ContCapability.DELETE],
  ] as const;
  for (const [permission, capability] of pairs) if (permissions & permission) capabilities |= capability;
  return capabilities;
}

function filterContCapabilities(capabilities: number, flags: number): number {
  if (flags & ContOpenFlag.RO) return capabilities & CONT_READ_CLASS;
  if ((capabilities & CONT_READ_CLASS) === 0 || (capabilities & CONT_WRITE_CLASS) === 0) return 0;
  let kept = capabilities;
  if (!(flags & ContOpenFlag.EX)) kept &= ~ContCapability.OPEN_EX;
  if (!(flags & ContOpenFlag.EVICT_ALL)) kept &= ~ContCapability.EVICT_ALL;
  return kept;
}

/** Whether a pool handle with these capabilities may exist. */
export function canConnectPool(capabilities: number): boolean {
  return (capabilities & PoolCapability.READ) !== 0;
}

export function canCreateContainer(poolCapabilities: number): boolean {
  return (poolCapabilities & PoolCapability.CREATE_CONT) !== 0;
}

/** Whether any container of the pool may be destroyed; else the container's own ACL decides. */
export function canDeleteAnyContainer(poolCapabilities: number): boolean {
  return (poolCapabilities & PoolCapability.DEL_CONT) !== 0;
}

/** Whether a container handle with these capabilities may exist when it was opened with these flags. */
export function canOpenContainer(capabilities: number, flags: number): boolean {
  if ((capabilities & CONT_READ_CLASS) === 0) return false;
  if (flags & ContOpenFlag.RO) return true;
  if ((capabilities & CONT_WRITE_CLASS) === 0) return false;
  if (flags & ContOpenFlag.EX && !(capabilities & ContCapability.OPEN_EX)) return false;
  return !(flags & ContOpenFlag.EVICT_ALL) || (capabilities & ContCapability.EVICT_ALL) !== 0;
}

export function canReadData(capabilities: number): boolean {
  return (capabilities & ContCapability.READ_DATA) !== 0;
}

export function canWriteData(capabilities: number): boolean {
  return (capabilities & ContCapability.WRITE_DATA) !== 0;
}

/** Which properties a request touches, as far as permissions tell them apart. */
export interface PropertyClasses {
  readonly acl: boolean;
  readonly ownership: boolean;
  readonly others: boolean;
}

/** Owner and group may be read with either of the two permissions. */
export function canGetProperties(capabilities: number, asked: PropertyClasses): boolean {
  const either = ContCapability.GET_PROP | ContCapability.GET_ACL;
  if (asked.acl && !(capabilities & ContCapability.GET_ACL)) return false;
  if (asked.others && !(capabilities & ContCapability.GET_PROP)) return false;
  return !asked.ownership || (capabilities & either) !== 0;
}

export function canSetProperties(capabilities: number, asked: PropertyClasses): boolean {
  if (asked.acl && !(capabilities & ContCapability.SET_ACL)) return false;
  if (asked.ownership && !(capabilities & ContCapability.SET_OWNER)) return false;
  return !asked.others || (capabilities & ContCapability.SET_PROP) !== 0;
}
