/**
 * Version of DAOS's control plane that these components speak: sent in headers and behind the system name, compared
 * by servers. It follows DAOS's numbering so that DAOS's own tools of that release can talk to our servers.
 */
export const DAOS_VERSION = '2.9.100';

/** `<system>-<version>`, as every request names its system. */
export function versionedSystemName(system: string): string {
  return `${system}-${DAOS_VERSION}`;
}
