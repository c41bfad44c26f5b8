import type { ControlLog } from '@daos/control';
import type { RASEvent } from '@daos/proto/shared/event';

import { isLegalTransition } from '../system/member.js';
import type { ManagementService } from '../system/management_service.js';
import type { SystemDb } from '../system/system_db.js';
import { RasId } from './ras_event.js';

/** What the leader of the management service does about an event. Other servers' events come here forwarded. */
export async function applyEventOnLeader(
  event: RASEvent,
  ms: ManagementService,
  log: ControlLog,
): Promise<void> {
  const db = ms.localDb;
  if (!db) return;
  switch (event.id) {
    case RasId.ENGINE_DIED:
      await markMember(event, db, log, 'Errored');
      break;
    case RasId.SWIM_RANK_DEAD:
      await markMember(event, db, log, 'Excluded');
      break;
    case RasId.POOL_REPLICAS_UPDATED:
      await updateReplicas(event, db);
      return;
    default:
      return;
  }
  ms.groupUpdater.request();
}

/** News about an earlier life of a member that has started again since say nothing about it. */
function isStale(event: RASEvent, memberIncarnation: string): boolean {
  return event.incarnation !== 0n && event.incarnation < BigInt(memberIncarnation);
}

async function markMember(
  event: RASEvent,
  db: SystemDb,
  log: ControlLog,
  state: 'Errored' | 'Excluded',
): Promise<void> {
  await db.updateMember(event.rank, (member) => {
    if (isStale(event, member.incarnation) || !isLegalTransition(member.state, state)) return undefined;
    log.error(`rank ${member.rank}: ${member.state}->${state} (${event.msg})`);
    return { state, info: event.msg };
  });
}

async function updateReplicas(event: RASEvent, db: SystemDb): Promise<void> {
  if (event.extendedInfo?.$case !== 'poolSvcInfo') return;
  const { svcReps, version } = event.extendedInfo.value;
  await db.updatePool(event.poolUuid.toLowerCase(), (pool) => {
    if (pool.state === 'Destroying' || Number(version) <= pool.replicasVersion) return undefined;
    return { replicas: svcReps, replicasVersion: Number(version) };
  });
}
