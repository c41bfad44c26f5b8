import { DaosError, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';

import { ROLES, type RoleBit, type RoleBits } from '../device/roles.js';
import {
  SMD_TARGETS_MAX, TARGET_TABLE, decodeBinding, decodeController, decodeDevice, type DeviceRow, type SmdDeviceState,
} from './rows.js';
import type { SmdDb } from './smd_db.js';

export interface SmdDevice extends DeviceRow {
  readonly uuid: Uuid;
}

/**
 * Binds a target to a device for one role; the first binding makes the device known, NORMAL. DER_EXIST when the target
 * is bound for that role, DER_OVERFLOW beyond 64 targets of a device.
 */
export function smdDevAddTgt(db: SmdDb, device: Uuid, target: number, role: RoleBit): void {
  const uuid = keyOfUuid(device);
  checkTarget(target);
  db.transaction(() => {
    const bound = db.get(TARGET_TABLE[role], target, decodeBinding);
    if (bound) throw new DaosError('EXIST', `target ${target} is bound to device ${bound.device} for role ${role}`);
    const row = db.get('device', uuid, decodeDevice) ?? { state: 'NORMAL', targets: [] };
    if (!row.targets.includes(target)) {
      if (row.targets.length >= SMD_TARGETS_MAX) {
        throw new DaosError('OVERFLOW', `device ${uuid} has ${row.targets.length} targets, the most it can have`);
      }
      db.put('device', uuid, { ...row, targets: [...row.targets, target] });
    }
    db.put(TARGET_TABLE[role], target, { device: uuid });
  });
}

/** Targets are never taken from a device one by one: DER_NOSYS. */
export function smdDevDelTgt(_db: SmdDb, device: Uuid, target: number, _role: RoleBit): never {
  throw new DaosError('NOSYS', `target ${target} cannot be taken from device ${device}: replace the device`);
}

/** DER_NONEXIST for an unknown device. */
export function smdDevSetState(db: SmdDb, device: Uuid, state: SmdDeviceState): void {
  const uuid = keyOfUuid(device);
  db.transaction(() => db.put('device', uuid, { ...deviceRow(db, uuid), state }));
}

/** DER_NONEXIST for an unknown device. */
export function smdDevGetById(db: SmdDb, device: Uuid): SmdDevice {
  const uuid = keyOfUuid(device);
  return { uuid, ...deviceRow(db, uuid) };
}

/** The device of a target for a role. DER_NONEXIST when the target is not bound for it. */
export function smdDevGetByTgt(db: SmdDb, target: number, role: RoleBit): SmdDevice {
  const bound = db.get(TARGET_TABLE[role], target, decodeBinding);
  if (!bound) throw new DaosError('NONEXIST', `target ${target} is bound to no device for role ${role}`);
  return smdDevGetById(db, bound.device);
}

export function smdDevList(db: SmdDb): SmdDevice[] {
  return [...db.list('device', decodeDevice)].map(({ key, row }) => ({ uuid: key, ...row }));
}

/** Roles for which a device has targets. */
export function smdDevRoles(db: SmdDb, device: Uuid): RoleBits {
  const uuid = keyOfUuid(device);
  let roles = 0;
  for (const role of ROLES) {
    for (const { row } of db.list(TARGET_TABLE[role], decodeBinding)) if (row.device === uuid) roles |= role;
  }
  return roles;
}

/**
 * Puts a new device in the place of a faulty one: its row and all bindings of its targets move in one transaction.
 * DER_NONEXIST for an unknown old device; DER_INVAL when the new one is known, or the old one is not FAULTY. `offline`
 * (repair tools, no engine running) takes any old device and leaves the new one in the old one's state.
 */
export function smdDevReplace(db: SmdDb, oldDevice: Uuid, newDevice: Uuid, options: { offline?: boolean } = {}): void {
  const [oldUuid, newUuid] = [keyOfUuid(oldDevice), keyOfUuid(newDevice)];
  db.transaction(() => {
    const row = deviceRow(db, oldUuid);
    if (db.get('device', newUuid, decodeDevice)) {
      throw new DaosError('INVAL', `device ${newUuid} is in use: it cannot replace ${oldUuid}`);
    }
    if (row.state !== 'FAULTY' && !options.offline) {
      throw new DaosError('INVAL', `device ${oldUuid} is ${row.state}: set it faulty before it is replaced`);
    }
    db.remove('device', oldUuid);
    db.put('device', newUuid, { ...row, state: options.offline ? row.state : 'NORMAL' });
    for (const role of ROLES) moveBindings(db, role, row.targets, oldUuid, newUuid);
  });
}

/** What the drive says of itself. */
export function smdCtrlrSet(db: SmdDb, device: Uuid, controller: { model: string; serial: string }): void {
  const { model, serial } = controller;
  db.transaction(() => db.put('ctrlr_data', keyOfUuid(device), { model, serial }));
}

/** DER_NONEXIST when nothing is known. */
export function smdCtrlrGet(db: SmdDb, device: Uuid): { model: string; serial: string } {
  const known = db.get('ctrlr_data', keyOfUuid(device), decodeController);
  if (!known) throw new DaosError('NONEXIST', `model and serial number of device ${device} are not known`);
  return known;
}

/** The one text form of an id; DER_INVAL when it is none. */
export function keyOfUuid(uuid: Uuid): string {
  return uuidFromBytes(uuidToBytes(uuid));
}

export function checkTarget(target: number): void {
  if (!Number.isInteger(target) || target < 0 || target >= 2 ** 31) throw new DaosError('INVAL', `${target} is no target id`);
}

function deviceRow(db: SmdDb, uuid: string): DeviceRow {
  const row = db.get('device', uuid, decodeDevice);
  if (!row) throw new DaosError('NONEXIST', `device ${uuid} is not known`);
  return row;
}

function moveBindings(db: SmdDb, role: RoleBit, targets: readonly number[], from: string, to: string): void {
  for (const target of targets) {
    if (db.get(TARGET_TABLE[role], target, decodeBinding)?.device === from) db.put(TARGET_TABLE[role], target, { device: to });
  }
}
