import { DeviceRole, type RoleBits } from './roles.js';

export type MediaErrorKind = 'read' | 'write' | 'unmap' | 'checksum';
export type ErrorCounts = Readonly<Record<MediaErrorKind, number>>;

/** When a device is declared faulty without being told to (property `bdev_auto_faulty`). */
export interface AutoFaultyCriteria {
  readonly enable: boolean;
  /** Read and write errors together: one more than this is too many. */
  readonly ioErrorsMax: number;
  readonly checksumErrorsMax: number;
}

export const AUTO_FAULTY_DEFAULT: AutoFaultyCriteria = { enable: true, ioErrorsMax: 10, checksumErrorsMax: 2 ** 32 - 1 };

export const NO_ERRORS: ErrorCounts = { read: 0, write: 0, unmap: 0, checksum: 0 };

/** Why a device with these errors is faulty; undefined when it is not. */
export function autoFaultyReason(roles: RoleBits, counts: ErrorCounts, criteria: AutoFaultyCriteria): string | undefined {
  const ioErrors = counts.read + counts.write;
  if (roles & (DeviceRole.META | DeviceRole.WAL) && ioErrors > 0) {
    return `${ioErrors} I/O error(s) on a device with metadata`;
  }
  if (!criteria.enable) return undefined;
  if (ioErrors > criteria.ioErrorsMax) return `${ioErrors} I/O errors, at most ${criteria.ioErrorsMax} are allowed`;
  if (counts.checksum > criteria.checksumErrorsMax) {
    return `${counts.checksum} checksum errors, at most ${criteria.checksumErrorsMax} are allowed`;
  }
  return undefined;
}
