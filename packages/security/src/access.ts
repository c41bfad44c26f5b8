import { ContCapability, ContOpenFlag, PoolCapability } from '@daos/common';

const CONT_READ_CLASS = ContCapability.READ_DATA | ContCapability.GET_PROP | ContCapability.GET_ACL;
const CONT_WRITE_CLASS =
  ContCapability.WRITE_DATA | ContCapability.SET_PROP | ContCapability.SET_ACL | ContCapability.SET_OWNER;

/** Whether a pool handle with these capabilities may exist. */
export function canConnectPool(capabilities: number): boolean {
  return (capabilities & PoolCapability.READ) !== 0;
}

export function canCreateContainer(poolCapabilities: number): boolean {
  return (poolCapabilities & PoolCapability.CREATE_CONT) !== 0;
}

/** Whether any container of the pool may be destroyed; else the container's own list decides. */
export function canDeleteAnyContainer(poolCapabilities: number): boolean {
  return (poolCapabilities & PoolCapability.DEL_CONT) !== 0;
}

/** Whether a container handle with these capabilities may exist when it was opened with these `ContOpenFlag`s. */
export function canOpenContainer(capabilities: number, flags: number): boolean {
  if ((capabilities & CONT_READ_CLASS) === 0) return false;
  if (flags & ContOpenFlag.RO) return true;
  if ((capabilities & CONT_WRITE_CLASS) === 0) return false;
  if (flags & ContOpenFlag.EX && !(capabilities & ContCapability.OPEN_EX)) return false;
  return !(flags & ContOpenFlag.EVICT_ALL) || (capabilities & ContCapability.EVICT_ALL) !== 0;
}

/** Object reads, attributes, snapshot lists. */
export function canReadData(capabilities: number): boolean {
  return (capabilities & ContCapability.READ_DATA) !== 0;
}

/** Object writes, attribute changes, snapshots. */
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
