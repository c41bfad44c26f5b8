import { BioDevice, DeviceMonitor, type DeviceReactions, type DeviceState, type MediaErrorKind, type RoleBits } from '@daos/bio';
import type { Uuid } from '@daos/common';
import type { Xstream } from '@daos/engine';
import { getLogger } from '@daos/gurt';

import type { PoolChildren } from '../child.js';

/** Names of operations between the xstreams of an engine. */
export const DeviceOp = {
  /** On targets: the device of their data files. */
  ATTACH: 'bio.attach',
  /** On targets: the device's state changed. */
  STATE: 'bio.deviceState',
  /** On the system xstream: an I/O failed. */
  MEDIA_ERROR: 'bio.mediaError',
  /** On the system xstream: a target found the device faulty by itself, since an I/O does not end. */
  FAULTY: 'bio.deviceFaulty',
} as const;

export interface DeviceAttach {
  readonly uuid: Uuid;
  readonly roles: RoleBits;
}

export interface DeviceStateChange {
  readonly device: Uuid;
  readonly state: DeviceState;
  readonly reason: string;
}

export interface DeviceFailure {
  readonly device: Uuid;
  readonly reason: string;
}

export interface DeviceMediaError {
  readonly device: Uuid;
  readonly target: number;
  readonly kind: MediaErrorKind;
  readonly detail: string;
}

/** Targets of a faulty device are not excluded yet, so nothing follows that state. */
const REACTIONS: DeviceReactions = {
  faulty: () => Promise.resolve('inProgress'),
  teardown: () => Promise.resolve('inProgress'),
  setup: () => Promise.resolve('done'),
  replaced: () => Promise.resolve('inProgress'),
};
const log = getLogger('bio');

/**
 * A target's view of its device. It reports what fails; when that is too much, all targets of the device are told, since
 * only the system xstream sees the errors of all.
 */
export function startTargetDevice(xs: Xstream, children: PoolChildren): { stop(): void } {
  const monitor = new DeviceMonitor(REACTIONS);
  let device: BioDevice | undefined;
  const report = (operation: string, args: unknown): void => {
    xs.onSystem(operation, args).catch((failure: unknown) => {
      log.warn(`the engine does not know of an error of device ${device?.uuid}: ${String(failure)}`);
    });
  };
  xs.operation(DeviceOp.ATTACH, ({ uuid, roles }: DeviceAttach) => {
    device = new BioDevice({
      uuid,
      roles,
      criteria: { enable: false, ioErrorsMax: 0, checksumErrorsMax: 0 },
      listener: (event) => {
        if (event.type === 'mediaError') {
          const { kind, detail } = event;
          report(DeviceOp.MEDIA_ERROR, { device: uuid, target: xs.target, kind, detail } satisfies DeviceMediaError);
        } else if (event.to === 'FAULTY') {
          const reason = `target ${xs.target}: ${event.reason}`;
          report(DeviceOp.FAULTY, { device: uuid, reason } satisfies DeviceFailure);
        }
      },
    });
    children.useDevice(device);
    monitor.watch(device);
  });
  xs.operation(DeviceOp.STATE, ({ device: uuid, state, reason }: DeviceStateChange) => {
    if (device?.uuid === uuid) device.moveTo(state, reason);
  });
  return { stop: () => monitor.stop() };
}
