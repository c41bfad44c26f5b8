import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DAOS_VERSION, getAttachInfo } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { failAs, withControl } from './session.js';

/** `dmg version`. */
export async function showVersion(context: VerbContext): Promise<VerbResult> {
  const name = 'DAOS Admin Tool';
  context.io.print(`${name} version ${DAOS_VERSION}\n`);
  const built = statSync(fileURLToPath(import.meta.url)).mtime.toISOString();
  return Promise.resolve({ json: { name, version: DAOS_VERSION, release: true, build_time: built } });
}

/** `dmg server-version`. */
export async function showServerVersion(context: VerbContext): Promise<VerbResult> {
  const name = 'DAOS Control Server';
  const info = await withControl(context, (client) => getAttachInfo(client)).catch(failAs('GetAttachInfo failed'));
  const build = info.buildInfo;
  const version = build ? `${build.major}.${build.minor}.${build.patch}${build.tag === '' ? '' : `-${build.tag}`}` : 'unknown';
  context.io.print(`${name} version ${version}\n`);
  return { json: { name, version } };
}
