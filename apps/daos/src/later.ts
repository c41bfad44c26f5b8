import type { CliVerb } from '@daos/control/cli';

/** A verb that DAOS has and this release has not: it takes whatever it is given and says so. */
export function later(group: string, name: string, aliases: readonly string[] = []): CliVerb {
  return {
    name,
    aliases,
    description: 'not in this release',
    acceptsAnything: true,
    run: async () => {
      const [{ ContextError }, { DaosError }] = await Promise.all([import('@daos/control'), import('@daos/common')]);
      const what = 'this release cannot do it yet; see daos --help for what it can';
      throw new ContextError(`${group} ${name}`.trim(), new DaosError('NOSYS', what));
    },
  };
}
