import { join } from 'node:path';

import { DeviceRole, DeviceSet, SMD_TARGETS_MAX, SmdDb, deviceFolderFormat, smdAssign, smdDevGetById, type BioDevice, type DeviceEvent, type DeviceReport } from '@daos/bio';
import { DaosError, type Uuid } from '@daos/common';
import { RasId, RasSeverity, RasType, raiseRas, type Xstream } from '@daos/engine';
import { getLogger } from '@daos/gurt';

import { DeviceOp, type DeviceAttach, type DeviceFailure, type DeviceMediaError, type DeviceStateChange } from './target_device.js';

/** Store of devices in the engine's storage folder. */
const SMD_FILE = 'smd.mdb';
const log = getLogger('bio');

/**
 * The devices of an engine, in its system xstream: which one holds the data files of which targets (SMD), and how they
 * are. All targets of an engine keep their data in one folder, which counts as one device, or as more when there are more
 * targets than one may have. Errors come from the targets; when there are too many the device becomes FAULTY, stays so
 * over restarts, and updates and fetches that need it are refused.
 */
export class EngineDevices {
  private smd: SmdDb | undefined;
  private set: DeviceSet | undefined;

  constructor(private readonly xs: Xstream) {
    xs.operation(DeviceOp.MEDIA_ERROR, (error: DeviceMediaError) => this.mediaError(error));
    // that which this engine told the targets itself changes nothing
    xs.operation(DeviceOp.FAULTY, ({ device, reason }: DeviceFailure) => this.device(device).declareFaulty(reason));
  }

  /** Before pools are started. DER_NONEXIST when the device that the targets are bound to is not there. */
  async open(): Promise<void> {
    const { xs } = this;
    const { storageDir, dataDir = storageDir, targetCount, autoFaulty: criteria } = xs.engine;
    const roles = DeviceRole.DATA;
    const devices: DeviceAttach[] = [];
    for (const folder of deviceFolders(dataDir, targetCount)) devices.push({ uuid: await deviceFolderFormat(folder), roles });
    const smd = await SmdDb.open(join(storageDir, SMD_FILE));
    try {
      smdAssign(smd, {
        devices,
        targets: targetCount,
        sysTarget: false,
        unplugged: (missing) => log.error(`device ${missing} of this engine is not in ${dataDir}`),
      });
      const set = new DeviceSet({ smd, ...(criteria && { criteria }), listener: (event) => this.onEvent(event) });
      for (const { uuid } of devices) {
        set.found({ uuid, roles });
        const { targets } = smdDevGetById(smd, uuid);
        // a target that an earlier start had and this one does not is nobody
        await xs.onTargets<DeviceAttach, void>(DeviceOp.ATTACH, { uuid, roles }, targets.filter((target) => target < targetCount));
      }
      this.smd = smd;
      this.set = set;
    } catch (error) {
      await smd.close();
      throw error;
    }
  }

  /**
   * When pools are started: their files are open, and what lies in their indexes can be served, but a device that was
   * faulty serves nothing more.
   */
  async applyState(): Promise<void> {
    for (const { uuid, state } of this.list()) {
      if (state === 'NORMAL') continue;
      log.error(`device ${uuid} is ${state} since an earlier run: it serves no data`);
      await this.tellTargets({ device: uuid, state, reason: 'it was before the engine was started' });
    }
  }

  list(): DeviceReport[] {
    return this.set?.list() ?? [];
  }

  async close(): Promise<void> {
    const { smd } = this;
    this.smd = undefined;
    this.set = undefined;
    await smd?.close();
  }

  private mediaError({ device, target, kind, detail }: DeviceMediaError): void {
    this.device(device).mediaError(kind, `target ${target}: ${detail}`);
  }

  private device(uuid: Uuid): BioDevice {
    const { set } = this;
    if (!set) throw new DaosError('SHUTDOWN', 'the devices of this engine are closed');
    return set.get(uuid);
  }

  private onEvent(event: DeviceEvent): void {
    const { device } = event;
    if (event.type === 'mediaError') {
      raiseRas(this.xs, {
        id: RasId.DEVICE_MEDIA_ERROR,
        type: RasType.INFO,
        severity: RasSeverity.ERROR,
        msg: `${event.kind} error on device ${device}: ${event.detail}`,
        hwId: device,
      });
      return;
    }
    const { from, to, reason } = event;
    log.warn(`device ${device}: ${from} -> ${to}: ${reason}`);
    if (to === 'FAULTY') {
      raiseRas(this.xs, {
        id: RasId.DEVICE_SET_FAULTY,
        type: RasType.INFO,
        severity: RasSeverity.NOTICE,
        msg: `device ${device} is faulty: ${reason}`,
        hwId: device,
      });
    }
    this.tellTargets({ device, state: to, reason }).catch((error: unknown) => {
      log.error(`targets do not know that device ${device} is ${to}: ${String(error)}`);
    });
  }

  private async tellTargets(change: DeviceStateChange): Promise<void> {
    await this.xs.onTargets<DeviceStateChange, void>(DeviceOp.STATE, change);
  }
}

/** Folders that are the devices of an engine: each serves a limited number of targets. */
export function deviceFolders(dataDir: string, targetCount: number): string[] {
  const count = Math.ceil(targetCount / SMD_TARGETS_MAX);
  return Array.from({ length: count }, (_, i) => (i === 0 ? dataDir : join(dataDir, `device-${i}`)));
}
