import { DaosError, type DerName } from '@daos/common';
import { statusText } from '@daos/control';

const DER_BY_ERRNO: Readonly<Record<string, DerName>> = {
  EPERM: 'NO_PERM',
  EACCES: 'NO_PERM',
  ENOENT: 'NONEXIST',
  EEXIST: 'EXIST',
  EINVAL: 'INVAL',
  ENOTDIR: 'NOTDIR',
  EISDIR: 'INVAL',
  ENOSPC: 'NOSPACE',
  EDQUOT: 'NOSPACE',
  EROFS: 'NO_PERM',
  ENOMEM: 'NOMEM',
  EMFILE: 'NOMEM',
  ENFILE: 'NOMEM',
  EBUSY: 'BUSY',
  ELOOP: 'INVAL',
  ENAMETOOLONG: 'OVERFLOW',
  EFBIG: 'OVERFLOW',
  ENOTSUP: 'NOTSUPPORTED',
  ETIMEDOUT: 'TIMEDOUT',
};

/** One step of a copy that failed: what was done to which file. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly status: DaosError;

  constructor(what: string, path: string | undefined, cause: unknown) {
    const status = daosErrorOf(cause);
    const where = path === undefined ? '' : ` '${path}'`;
    super(`${what}${where}: ${reasonText(status)}`, { cause });
    this.status = status;
  }
}

/** `No space on storage target (-1007)`. */
export function reasonText(status: DaosError): string {
  return `${statusText(status)} (${status.status})`;
}

/** The DAOS status behind a failure of either side. */
export function daosErrorOf(error: unknown): DaosError {
  for (let depth = 0, at = error; depth < 8 && at instanceof Error; depth++, at = at.cause) {
    if (at instanceof DaosError) return at;
    if (at instanceof CopyError) return at.status;
  }
  const code = (error as { code?: unknown } | undefined)?.code;
  const der = typeof code === 'string' ? DER_BY_ERRNO[code] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return new DaosError(der ?? (typeof code === 'string' ? 'IO' : 'MISC'), message, { cause: error });
}
