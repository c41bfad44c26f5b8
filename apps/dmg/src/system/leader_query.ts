import { leaderQuery } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { failAs, withControl } from '../session.js';

/** `dmg system leader-query`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const found = await withControl(context, (client) => leaderQuery(client)).catch(failAs('leader query failed: converting MS to LeaderQuery resp'));
  const down = found.downReplicas.join(', ');
  if (context.options.downReplicas === true) context.io.print(`Unresponsive Replicas: ${down}\n`);
  else {
    context.io.print(`Current Leader: ${found.leader}\n   Replica Set: ${found.replicas.join(', ')}\n  Unresponsive Replicas: ${down}\n`);
  }
  const json = {
    current_leader: found.leader,
    replicas: found.replicas,
    down_replicas: found.downReplicas.length === 0 ? null : found.downReplicas,
  };
  return { json };
}
