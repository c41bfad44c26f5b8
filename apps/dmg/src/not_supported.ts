import { ContextError } from '@daos/control';
import { DaosError } from '@daos/common';

/** The answer of a verb that DAOS has and this release has not. */
export function notSupported(verb: string): Error {
  return new ContextError(verb, new DaosError('NOSYS', 'this release cannot do it yet; see dmg --help for what it can'));
}
