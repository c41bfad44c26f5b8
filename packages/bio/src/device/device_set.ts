import { DaosError, type Uuid } from '@daos/common';
import { systemClock, type Clock } from '@daos/gurt';

import { smdDevGetById, smdDevList, smdDevReplace, smdDevSetState, type SmdDevice } from '../smd/smd_device.js';
import type { SmdDb } from '../smd/smd_db.js';
import { BioDevice, type DeviceEvent } from './device.js';
import type { AutoFaultyCriteria, ErrorCounts } from './health.js';
import type { RoleBits } from './roles.js';
import { DeviceFlag, reportedState, type DeviceState, type ReportedState } from './state.js';

export interface FoundDevice {
  readonly uuid: Uuid;
  readonly roles: RoleBits;
  /** Whether the drive has a light. */
  readonly led?: boolean;
}

export interface DeviceSetOptions {
  readonly smd: SmdDb;
  readonly criteria?: AutoFaultyCriteria;
  readonly stallTimeoutMs?: number;
  readonly clock?: Clock;
  readonly listener?: (event: DeviceEvent) => void;
}

/** A device as administrators see it. */
export interface DeviceReport {
  readonly uuid: Uuid;
  readonly roles: RoleBits;
  readonly state: DeviceState;
  readonly reported: ReportedState;
  readonly targets: readonly number[];
  readonly errorCounts: ErrorCounts;
}

/**
 * All devices of an engine, those in use (SMD knows them) and those that only are there, and the orders that an
 * administrator gives: set faulty, replace, bring back.
 */
export class DeviceSet {
  private readonly devices = new Map<Uuid, BioDevice>();

  constructor(private readonly options: DeviceSetOptions) {}

  /**
   * Takes in what a scan has found. A device in use begins NORMAL, or FAULTY when SMD says so; one that SMD does not
   * know waits (OUT) until it replaces another. One that is known already was plugged in again.
   */
  found(device: FoundDevice): BioDevice {
    const known = this.devices.get(device.uuid);
    if (known) {
      this.pluggedAgain(known);
      return known;
    }
    const { smd, clock = systemClock, criteria, stallTimeoutMs, listener } = this.options;
    const used = this.inSmd(device.uuid);
    const made = new BioDevice({
      ...device,
      clock,
      state: used ? used.state : 'OUT',
      ...(criteria && { criteria }),
      ...(stallTimeoutMs !== undefined && { stallTimeoutMs }),
      ...(listener && { listener }),
      persistFaulty: (uuid) => {
        // a device under repair may have lost its row to the one that replaces it
        if (this.inSmd(uuid)) smdDevSetState(smd, uuid, 'FAULTY');
      },
    });
    this.devices.set(device.uuid, made);
    return made;
  }

  /** The drive was pulled out. DER_NONEXIST for one that was never there. */
  unplugged(uuid: Uuid): void {
    const device = this.get(uuid);
    device.plugged = false;
    if (device.state === 'NORMAL' || device.state === 'SETUP') device.moveTo('TEARDOWN', 'it was unplugged');
  }

  /** DER_NONEXIST. */
  get(uuid: Uuid): BioDevice {
    const device = this.devices.get(uuid);
    if (!device) throw new DaosError('NONEXIST', `device ${uuid} is not there`);
    return device;
  }

  /** An administrator's order. DER_NONEXIST for a device that is not in use. */
  setFaulty(uuid: Uuid): void {
    smdDevGetById(this.options.smd, uuid);
    this.get(uuid).declareFaulty('set faulty by an administrator');
  }

  /**
   * Puts `newUuid` in the place of `oldUuid`, or brings a device back when they are the same (without reintegrating its
   * targets: that is for whoever ordered it). The device goes to SETUP. DER_NONEXIST for an unknown old device; DER_INVAL
   * when it is not faulty, or the new one is in use or not there; DER_BUSY while the old one is not OUT.
   */
  replace(oldUuid: Uuid, newUuid: Uuid): BioDevice {
    const { smd } = this.options;
    const row = smdDevGetById(smd, oldUuid);
    if (row.state !== 'FAULTY') {
      throw new DaosError('INVAL', `device ${oldUuid} is ${row.state}: set it faulty before it is replaced`);
    }
    const old = this.devices.get(oldUuid);
    // one that was missing at start holds nothing open
    if (old && old.state !== 'OUT') throw new DaosError('BUSY', `device ${oldUuid} is ${old.state}, not yet OUT: try again`);
    if (oldUuid === newUuid) return this.revive(oldUuid);
    const replacement = this.devices.get(newUuid);
    if (!replacement?.plugged) throw new DaosError('INVAL', `device ${newUuid} is not there: it cannot replace ${oldUuid}`);
    smdDevReplace(smd, oldUuid, newUuid);
    replacement.awaitsReintegration = true;
    replacement.moveTo('SETUP', `it replaces ${oldUuid}`);
    return replacement;
  }

  /** Those of SMD and those that were found, in the order of their ids. */
  list(): DeviceReport[] {
    const rows = new Map(smdDevList(this.options.smd).map((row) => [row.uuid, row]));
    const uuids = [...new Set([...rows.keys(), ...this.devices.keys()])].sort();
    return uuids.map((uuid) => this.report(uuid, rows.get(uuid)));
  }

  private report(uuid: Uuid, row: SmdDevice | undefined): DeviceReport {
    const device = this.devices.get(uuid);
    const flags =
      (device?.plugged ? DeviceFlag.PLUGGED : 0) |
      (row ? DeviceFlag.IN_USE : 0) |
      (row?.state === 'FAULTY' ? DeviceFlag.FAULTY : 0);
    return {
      uuid,
      roles: device?.roles ?? 0,
      state: device?.state ?? 'OUT',
      reported: reportedState(flags),
      targets: row?.targets ?? [],
      errorCounts: device?.errorCounts ?? { read: 0, write: 0, unmap: 0, checksum: 0 },
    };
  }

  private revive(uuid: Uuid): BioDevice {
    const device = this.devices.get(uuid);
    if (!device?.plugged) throw new DaosError('INVAL', `device ${uuid} is not there: plug it in`);
    smdDevSetState(this.options.smd, uuid, 'NORMAL');
    device.moveTo('SETUP', 'it was brought back');
    return device;
  }

  private pluggedAgain(device: BioDevice): void {
    device.plugged = true;
    const isInUse = this.inSmd(device.uuid)?.state === 'NORMAL';
    if (device.state === 'OUT' && isInUse) device.moveTo('SETUP', 'it was plugged in');
  }

  private inSmd(uuid: Uuid): SmdDevice | undefined {
    try {
      return smdDevGetById(this.options.smd, uuid);
    } catch (error) {
      if (error instanceof DaosError && error.der === 'NONEXIST') return undefined;
      throw error;
    }
  }
}
