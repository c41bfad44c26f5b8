import { DaosError, type DerName } from '@daos/common';

/** POSIX error numbers (Linux) that DFS can answer with. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  E2BIG: 7,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOVERFLOW: 75,
  ERESTART: 85,
  ENOTSUP: 95,
  ETIMEDOUT: 110,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  ESTALE: 116,
  ECANCELED: 125,
} as const;

export type ErrnoName = keyof typeof ERRNO;

const ERRNO_BY_DER: Partial<Record<DerName, ErrnoName>> = {
  NO_PERM: 'EPERM',
  EP_RO: 'EPERM',
  EP_OLD: 'EPERM',
  CONT_DESTROYING: 'EPERM',
  NONEXIST: 'ENOENT',
  ENOENT: 'ENOENT',
  INVAL: 'EINVAL',
  NOTYPE: 'EINVAL',
  NOSCHEMA: 'EINVAL',
  NOLOCAL: 'EINVAL',
  NO_HDL: 'EINVAL',
  IO_INVAL: 'EINVAL',
  KEY2BIG: 'E2BIG',
  REC2BIG: 'E2BIG',
  EXIST: 'EEXIST',
  UNREACH: 'EHOSTUNREACH',
  NOSPACE: 'ENOSPC',
  ALREADY: 'EALREADY',
  NOMEM: 'ENOMEM',
  DOS: 'ENOMEM',
  TIMEDOUT: 'ETIMEDOUT',
  BUSY: 'EBUSY',
  EQ_BUSY: 'EBUSY',
  AGAIN: 'EAGAIN',
  PROTO: 'EPROTO',
  IO: 'EIO',
  CANCELED: 'ECANCELED',
  OVERFLOW: 'EOVERFLOW',
  BADPATH: 'ENOTDIR',
  NOTDIR: 'ENOTDIR',
  STALE: 'ESTALE',
  TX_RESTART: 'ERESTART',
  NOTSUPPORTED: 'ENOTSUP',
  NOSYS: 'ENOTSUP',
};

/** A failed file-system call. `code` is the errno's name, as Node's own file-system errors have it. */
export class DfsError extends Error {
  override readonly name = 'DfsError';
  readonly errno: number;

  constructor(
    readonly code: ErrnoName,
    readonly syscall: string,
    readonly path: string,
    detail = '',
    options?: { cause?: unknown },
  ) {
    super(`${code}: ${syscall} '${path}'${detail ? `: ${detail}` : ''}`, options);
    this.errno = ERRNO[code];
  }
}

/** errno of a DAOS error; EIO when there is no closer one. */
export function errnoOfDer(der: DaosError['der']): ErrnoName {
  return der === 'UNKNOWN' ? 'EIO' : (ERRNO_BY_DER[der] ?? 'EIO');
}

/** Runs a step of a call; a DAOS error becomes the `DfsError` of that call. */
export async function dfsCall<T>(syscall: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DaosError) throw new DfsError(errnoOfDer(error.der), syscall, path, error.detail, { cause: error });
    throw error;
  }
}

/** True when `error` is a `DfsError` with one of the codes. */
export function isDfsError(error: unknown, ...codes: ErrnoName[]): error is DfsError {
  return error instanceof DfsError && (codes.length === 0 || codes.includes(error.code));
}
