import { DAOS_VERSION } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

/** `daos_agent version`. */
export function showVersion(context: VerbContext): VerbResult {
  const name = 'DAOS Agent';
  context.io.print(`${name} version ${DAOS_VERSION}\n`);
  return { json: { name, version: DAOS_VERSION } };
}
