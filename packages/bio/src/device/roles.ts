import { DaosError } from '@daos/common';

/** What a device may hold; the bits are those of the wire and of the configuration. */
export const DeviceRole = { DATA: 1, META: 2, WAL: 4 } as const;
export type RoleBit = (typeof DeviceRole)[keyof typeof DeviceRole];
/** Any combination of `DeviceRole` bits, at least one. */
export type RoleBits = number;

/** All roles, in the order in which tables and messages list them. */
export const ROLES: readonly RoleBit[] = [DeviceRole.DATA, DeviceRole.META, DeviceRole.WAL];

/** Throws DER_INVAL for no role or unknown bits. */
export function checkRoles(roles: RoleBits): void {
  const all = DeviceRole.DATA | DeviceRole.META | DeviceRole.WAL;
  if (!Number.isInteger(roles) || roles <= 0 || (roles & ~all) !== 0) {
    throw new DaosError('INVAL', `roles ${roles} of a device: a sum of data (1), meta (2) and wal (4)`);
  }
}

/**
 * The role whose device stands in for `role`: itself, or where no device has it WAL -> META -> DATA. `configured` holds
 * the roles of all devices. DER_NONEXIST when nobody holds data.
 */
export function roleHolder(role: RoleBit, configured: RoleBits): RoleBit {
  const order = ROLES.filter((candidate) => candidate <= role).toReversed();
  const holder = order.find((candidate) => (configured & candidate) !== 0);
  if (holder === undefined) throw new DaosError('NONEXIST', 'no device has the data role: give one to at least one device');
  return holder;
}
