import { DaosError } from '@daos/common';

/** The answer where the store has no call for a command yet. */
export function notYet(what: string): DaosError {
  return new DaosError('NOSYS', `this release cannot ${what}`);
}
