import { DaosError } from '@daos/common';
import { ContextError } from '@daos/control';

/** The answer of a verb that DAOS has and this release has not. */
export function notSupported(verb: string): Error {
  return new ContextError(verb, new DaosError('NOSYS', 'this release cannot do it yet; see daos --help for what it can'));
}
