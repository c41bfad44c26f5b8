/**
 * Life of a device in use: NORMAL; FAULTY until its targets are excluded; TEARDOWN until its files are closed; OUT until
 * it is plugged in again or replaced; SETUP until its files are open.
 */
export type DeviceState = 'NORMAL' | 'FAULTY' | 'TEARDOWN' | 'OUT' | 'SETUP';

const NEXT: Readonly<Record<DeviceState, readonly DeviceState[]>> = {
  // to TEARDOWN without FAULTY when it was pulled out
  NORMAL: ['FAULTY', 'TEARDOWN'],
  FAULTY: ['TEARDOWN'],
  TEARDOWN: ['OUT'],
  OUT: ['SETUP'],
  SETUP: ['NORMAL', 'FAULTY', 'TEARDOWN'],
};

export function deviceStateMayFollow(from: DeviceState, to: DeviceState): boolean {
  return NEXT[from].includes(to);
}

/** Whether files on the device may be read and written: SETUP opens them. */
export function deviceStateServes(state: DeviceState): boolean {
  return state === 'NORMAL' || state === 'SETUP';
}

/** What is said of a device to administrators. */
export const DeviceFlag = { PLUGGED: 1, IN_USE: 2, FAULTY: 4 } as const;
export type ReportedState = 'NORMAL' | 'EVICTED' | 'UNPLUGGED' | 'NEW' | 'UNKNOWN';

/** The administrator's word for a combination of `DeviceFlag` bits. */
export function reportedState(flags: number): ReportedState {
  if (flags & DeviceFlag.FAULTY) return 'EVICTED';
  if (flags & DeviceFlag.IN_USE) return flags & DeviceFlag.PLUGGED ? 'NORMAL' : 'UNPLUGGED';
  return flags & DeviceFlag.PLUGGED ? 'NEW' : 'UNKNOWN';
}
