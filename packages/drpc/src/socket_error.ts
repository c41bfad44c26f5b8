import { DaosError, type DerName } from '@daos/common';

/** The system's error at a dRPC socket as DAOS's, with the path and what to look at. */
export function socketError(error: unknown, path: string, what: 'connect' | 'listen'): DaosError {
  if (error instanceof DaosError) return error;
  const { code = '', message } = error as { code?: string; message: string };
  const [der, why] = explain(code, what) ?? ['IO' as DerName, message];
  const verb = what === 'connect' ? 'connect to' : 'listen at';
  return new DaosError(der, code === 'ENAMETOOLONG' ? message : `cannot ${verb} ${path}: ${why}`, { cause: error });
}

function explain(code: string, what: 'connect' | 'listen'): [DerName, string] | undefined {
  switch (code) {
    case 'ENOENT':
      return what === 'connect' ? ['UNREACH', 'there is no socket'] : ['NONEXIST', 'its folder does not exist'];
    case 'ECONNREFUSED':
      return ['UNREACH', 'nobody listens there'];
    case 'EACCES':
    case 'EPERM':
      return ['NO_PERM', 'permission denied'];
    case 'ENOTSOCK':
    case 'EPROTOTYPE':
      return ['UNREACH', 'it is not a socket of the right type'];
    case 'EADDRINUSE':
      return ['BUSY', 'the socket file is in use'];
    case 'ENAMETOOLONG':
      return ['INVAL', ''];
    default:
      return undefined;
  }
}
