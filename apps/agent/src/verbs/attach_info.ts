import { writeFileSync } from 'node:fs';

import { ContextError, getAttachInfo } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';
import type { GetAttachInfoResp } from '@daos/proto/mgmt/svc';

import { connectControl, loadSession, textOption } from '../session.js';

const TIMEOUT_MS = 60_000;

/** `daos_agent dump-attachinfo`: ranks and addresses, as text that old tools read. */
export async function dumpAttachInfo(context: VerbContext): Promise<VerbResult> {
  const info = await fetchAttachInfo(context);
  const lines = [`name ${info.sys}`, `size ${info.rankUris.length}`, 'all', ...info.rankUris.map(({ rank, uri }) => `${rank} ${uri}`)];
  const text = `${lines.join('\n')}\n`;
  const output = textOption(context, 'output');
  if (output === undefined) context.io.print(text);
  else writeFileSync(output, text);
  return { json: info };
}

/** `daos_agent server-version`. */
export async function showServerVersion(context: VerbContext): Promise<VerbResult> {
  const { buildInfo: build } = await fetchAttachInfo(context);
  const version = build ? `${build.major}.${build.minor}.${build.patch}${build.tag === '' ? '' : `-${build.tag}`}` : 'unknown';
  context.io.print(`DAOS Control Server version ${version}\n`);
  return { json: { name: 'DAOS Control Server', version } };
}

async function fetchAttachInfo(context: VerbContext): Promise<GetAttachInfoResp> {
  const { config } = await loadSession(context);
  using control = connectControl(config, context.signal);
  try {
    return await getAttachInfo(control, { allRanks: true }, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw new ContextError('GetAttachInfo failed', error);
  }
}
