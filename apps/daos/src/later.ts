import type { CliVerb } from '@daos/control/cli';

/** A verb that DAOS has and this release has not: it takes whatever it is given and says so. */
export function later(group: string, name: string, aliases: readonly string[] = []): CliVerb {
  return {
    name,
    aliases,
    description: 'not in this release',
    acceptsAnything: true,
    run: async () => {
      const { notSupported } = await import('./not_supported.js');
      throw notSupported(`${group} ${name}`.trim());
    },
  };
}
