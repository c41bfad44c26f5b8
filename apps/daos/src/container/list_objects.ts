import { objectIdToString } from '@daos/common';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { containerTarget, failAs, withContainer } from '../session.js';

/** Ids of a page of output. */
const LINES_MAX = 1024;

/** `daos container list-objects`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const target = containerTarget(context);
  const ids: string[] = [];
  await withContainer(context, target, 'ro', async (container) => {
    let lines: string[] = [];
    for await (const oid of container.objects({ signal: context.signal })) {
      lines.push(objectIdToString(oid));
      if (context.json || lines.length < LINES_MAX) continue;
      context.io.print(`${lines.join('\n')}\n`);
      lines = [];
    }
    if (context.json) ids.push(...lines);
    else if (lines.length > 0) context.io.print(`${lines.join('\n')}\n`);
  }).catch(failAs(`failed to list objects of container ${target.name}`));
  return { json: ids };
}
