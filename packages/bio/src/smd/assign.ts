import { DaosError, type Uuid } from '@daos/common';

import { ROLES, roleHolder, type RoleBit, type RoleBits } from '../device/roles.js';
import { SYS_TARGET_ID, TARGET_TABLE, decodeBinding } from './rows.js';
import type { SmdDb } from './smd_db.js';
import { keyOfUuid, smdDevAddTgt, smdDevList } from './smd_device.js';

export interface AssignParams {
  /** Devices that are there, in the order of the configuration. */
  readonly devices: readonly { readonly uuid: Uuid; readonly roles: RoleBits }[];
  /** Targets 0 to `targets` - 1. */
  readonly targets: number;
  /** Whether the system target gets devices too (it holds the replicas of pool services). */
  readonly sysTarget: boolean;
  /** Told of each device that targets are bound to and that is not there. */
  readonly unplugged?: (device: Uuid) => void;
}

/**
 * Sees to it that every target has a device for every role: at the first start each goes to the device with the fewest
 * targets (the earlier one of equals); what is bound stays. The system target shares a device without being counted.
 * Where no device has a role, the device of the role that stands in for it serves, without a binding of its own.
 * DER_NONEXIST when a bound device is missing (`unplugged` names all of them), or no device holds data.
 */
export function smdAssign(db: SmdDb, params: AssignParams): void {
  checkPresent(db, params);
  const configured = params.devices.reduce((roles, device) => roles | device.roles, 0);
  const roles = ROLES.filter((role) => roleHolder(role, configured) === role);
  const targets = Array.from({ length: params.targets }, (_, i) => i);
  if (params.sysTarget) targets.push(SYS_TARGET_ID);
  db.transaction(() => {
    for (const role of roles) assignRole(db, params, role, targets);
  });
}

function checkPresent(db: SmdDb, { devices, unplugged }: AssignParams): void {
  const present = new Set(devices.map(({ uuid }) => keyOfUuid(uuid)));
  const missing = smdDevList(db).filter(({ uuid, targets }) => targets.length > 0 && !present.has(uuid));
  for (const { uuid } of missing) unplugged?.(uuid);
  if (missing.length > 0) {
    const names = missing.map(({ uuid }) => uuid).join(', ');
    throw new DaosError('NONEXIST', `device ${names} is not there: plug it in, or replace it`);
  }
}

function assignRole(db: SmdDb, { devices }: AssignParams, role: RoleBit, targets: readonly number[]): void {
  const load = new Map<string, number>();
  for (const { uuid, roles } of devices) if (roles & role) load.set(keyOfUuid(uuid), 0);
  const bound = new Set<number>();
  for (const { key, row } of db.list(TARGET_TABLE[role], decodeBinding)) {
    const target = Number(key);
    bound.add(target);
    if (target !== SYS_TARGET_ID) load.set(row.device, (load.get(row.device) ?? 0) + 1);
  }
  for (const target of targets) {
    if (bound.has(target)) continue;
    const device = leastLoaded(load);
    smdDevAddTgt(db, device, target, role);
    if (target !== SYS_TARGET_ID) load.set(device, (load.get(device) ?? 0) + 1);
  }
}

function leastLoaded(load: ReadonlyMap<string, number>): string {
  let best: [string, number] | undefined;
  for (const entry of load) if (!best || entry[1] < best[1]) best = entry;
  if (!best) throw new DaosError('NONEXIST', 'no device for the targets');
  return best[0];
}
