import { DaosError, type DerName } from '@daos/common';

const BY_CODE: Readonly<Record<string, DerName>> = {
  ENOSPC: 'NOSPACE',
  EDQUOT: 'NOSPACE',
  EFBIG: 'NOSPACE',
  EIO: 'NVME_IO',
  ENODEV: 'NVME_IO',
  ENXIO: 'NVME_IO',
  ENOENT: 'NONEXIST',
  ENOTDIR: 'NONEXIST',
  EEXIST: 'EXIST',
  EACCES: 'NO_PERM',
  EPERM: 'NO_PERM',
  EROFS: 'NO_PERM',
  ENOMEM: 'NOMEM',
  EBADF: 'NO_HDL',
};

/** The system's error as DAOS's, with what was tried. */
export function ioError(error: unknown, what: string): DaosError {
  if (error instanceof DaosError) return error;
  const code = (error as { code?: string }).code ?? '';
  return new DaosError(BY_CODE[code] ?? 'IO', `${what}: ${(error as Error).message}`, { cause: error });
}
