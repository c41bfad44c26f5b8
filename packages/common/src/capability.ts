import { Permission } from './acl_entry.js';

/** What the holder of a pool handle may do (bits). */
export const PoolCapability = { READ: 1, CREATE_CONT: 2, DEL_CONT: 4 } as const;

/** How a pool is connected; exactly one. */
export const PoolConnectFlag = { RO: 1, RW: 2, EX: 4 } as const;

/** What the holder of a container handle may do (bits). */
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
} as const;

/** How a container is opened: one of RO, RW, EX, with modifiers. */
export const ContOpenFlag = {
  RO: 0x1,
  RW: 0x2,
  EX: 0x4,
  FORCE: 0x8,
  RO_MDSTATS: 0x10,
  EVICT: 0x20,
  EVICT_ALL: 0x40,
} as const;

function exactlyOne(flags: number, mask: number): boolean {
  const chosen = flags & mask;
  return chosen !== 0 && (chosen & (chosen - 1)) === 0;
}

export function poolConnectFlagsValid(flags: number): boolean {
  return exactlyOne(flags, 7) && (flags & ~7) === 0;
}

/** True when container open flags name one mode and modifiers that go with it. */
export function contOpenFlagsValid(flags: number): boolean {
  if (!exactlyOne(flags, 7) || (flags & ~0x7f) !== 0) return false;
  const evict = (flags & ContOpenFlag.EVICT) !== 0;
  const evictAll = (flags & ContOpenFlag.EVICT_ALL) !== 0;
  const exclusive = (flags & ContOpenFlag.EX) !== 0;
  return !(evict && evictAll) && !(evict && exclusive) && !(evictAll && !exclusive);
}

/** Capabilities of a pool handle from permissions and connect flags; 0 = no access. */
export function poolCapabilities(permissions: number, flags: number): number {
  const { READ, WRITE, CREATE_CONT, DEL_CONT, GET_PROP } = Permission;
  let bits = 0;
  if (permissions & (READ | GET_PROP)) bits |= PoolCapability.READ;
  if (permissions & (WRITE | CREATE_CONT)) bits |= PoolCapability.CREATE_CONT;
  if (permissions & (WRITE | DEL_CONT)) bits |= PoolCapability.DEL_CONT;
  if (!(flags & (PoolConnectFlag.RW | PoolConnectFlag.EX))) return bits & PoolCapability.READ;
  const canRead = (bits & PoolCapability.READ) !== 0;
  return canRead && (bits & ~PoolCapability.READ) !== 0 ? bits : 0;
}

const CONT_OF_PERMISSION: readonly (readonly [permission: number, capability: number])[] = [
  [Permission.READ, ContCapability.READ_DATA],
  [Permission.WRITE, ContCapability.WRITE_DATA],
  [Permission.GET_PROP, ContCapability.GET_PROP],
  [Permission.SET_PROP, ContCapability.SET_PROP],
  [Permission.GET_ACL, ContCapability.GET_ACL],
  [Permission.SET_ACL, ContCapability.SET_ACL],
  [Permission.SET_OWNER, ContCapability.SET_OWNER],
  [Permission.DEL_CONT, ContCapability.DELETE],
];
const CONT_READ_MASK = ContCapability.READ_DATA | ContCapability.GET_PROP | ContCapability.GET_ACL;
const CONT_WRITE_MASK =
  ContCapability.WRITE_DATA | ContCapability.SET_PROP | ContCapability.SET_ACL | ContCapability.SET_OWNER;

/** Capabilities of a container handle from permissions, ownership and open flags; 0 = no access. */
export function contCapabilities(permissions: number, isOwner: boolean, flags: number): number {
  let bits = isOwner ? ContCapability.OPEN_EX | ContCapability.EVICT_ALL : 0;
  for (const [permission, capability] of CONT_OF_PERMISSION) if (permissions & permission) bits |= capability;
  if (!(flags & (ContOpenFlag.RW | ContOpenFlag.EX))) return bits & CONT_READ_MASK;
  if (!(bits & CONT_READ_MASK) || !(bits & CONT_WRITE_MASK)) return 0;
  if (!(flags & ContOpenFlag.EX)) bits &= ~ContCapability.OPEN_EX;
  if (!(flags & ContOpenFlag.EVICT_ALL)) bits &= ~ContCapability.EVICT_ALL;
  return bits;
}
