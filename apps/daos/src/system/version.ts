import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DAOS_VERSION } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { withDaos } from '../session.js';

/** Version of DAOS's client interface that the library follows. */
const LIBRARY_VERSION = '2.8.0';

/** `daos version`. */
export async function showVersion(context: VerbContext): Promise<VerbResult> {
  const name = 'DAOS CLI';
  context.io.print(`${name} version ${DAOS_VERSION}, libdaos v${LIBRARY_VERSION}\n`);
  const built = statSync(fileURLToPath(import.meta.url)).mtime.toISOString();
  return Promise.resolve({ json: { name, version: DAOS_VERSION, release: true, build_time: built } });
}

/** `daos server-version`. */
export async function showServerVersion(context: VerbContext): Promise<VerbResult> {
  const name = 'DAOS Control Server';
  const version = await withDaos(context, (daos) => Promise.resolve(daos.systemInfo().serverVersion));
  context.io.print(`${name} version ${version}\n`);
  return { json: { name, version } };
}
