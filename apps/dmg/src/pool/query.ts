import { formatPoolQuery, poolInfoJson, poolQuery, type PoolInfo, type PoolQueryPart } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { SetupFailure, failAs, poolArgument, withControl } from '../session.js';

/** `dmg pool query`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const id = poolArgument(context);
  const parts = wantedParts(context);
  let pool: PoolInfo;
  try {
    pool = await withControl(context, (client) => poolQuery(client, id, parts));
  } catch (error) {
    // DAOS leaves the context out of JSON output here, on stderr too.
    if (context.json && !(error instanceof SetupFailure)) throw error;
    return failAs('pool query failed')(error);
  }
  context.io.print(formatPoolQuery(pool) + (parts.includes('self_heal_policy') ? selfHealNotes(pool) : ''));
  return { json: poolInfoJson(pool) };
}

function wantedParts(context: VerbContext): PoolQueryPart[] {
  const { healthOnly, showEnabled, selfHealCheck } = context.options;
  const parts: PoolQueryPart[] = ['rebuild', 'disabled_engines'];
  if (healthOnly === true) parts.push('dead_engines');
  else parts.push('space');
  if (showEnabled === true) parts.push('enabled_engines');
  if (selfHealCheck !== false) parts.push('self_heal_policy');
  return parts;
}

/** Tells which self-healing does not happen, and by whose policy. */
function selfHealNotes(pool: PoolInfo): string {
  if (pool.selfHealPolicy === '' || pool.sysSelfHealPolicy === undefined || pool.sysSelfHealPolicy === '') return '';
  const own = pool.selfHealPolicy.split(';');
  const system = pool.sysSelfHealPolicy.split(';');
  const notes: string[] = [];
  for (const [flag, ownNames] of [
    ['exclude', ['exclude']],
    ['rebuild', ['rebuild', 'delay_rebuild']],
  ] as const) {
    const by = [...(system.includes(`pool_${flag}`) ? [] : ['system']), ...(ownNames.some((name) => own.includes(name)) ? [] : ['pool'])];
    if (by.length > 0) notes.push(`${flag} disabled on pool due to [${by.join(' ')}] policies\n`);
  }
  return notes.join('');
}
