import { hostname } from 'node:os';

import { RASEvent } from '@daos/proto/shared/event';

/** Numbers of the events that this server raises or acts on. */
export const RasId = {
  ENGINE_FORMAT_REQUIRED: 1,
  ENGINE_DIED: 2,
  ENGINE_SELF_TERMINATED: 5,
  POOL_REPLICAS_UPDATED: 10,
  SWIM_RANK_DEAD: 17,
  SYSTEM_START_FAILED: 18,
  SYSTEM_STOP_FAILED: 19,
  ENGINE_JOIN_FAILED: 26,
} as const;

export const RasType = { ANY: 0, STATE_CHANGE: 1, INFO: 2 } as const;
export const RasSeverity = { UNKNOWN: 0, ERROR: 1, WARNING: 2, NOTICE: 3 } as const;

const NAMES = [
  'unknown_ras_event',
  'engine_format_required',
  'engine_died',
  'engine_asserted',
  'engine_clock_drift',
  'engine_self_terminated',
  'pool_corruption_detected',
  'pool_rebuild_started',
  'pool_rebuild_finished',
  'pool_rebuild_failed',
  'pool_replicas_updated',
  'pool_durable_format_incompatible',
  'pool_destroy_deferred',
  'pool_start_failed',
  'container_durable_format_incompatible',
  'rdb_durable_format_incompatible',
  'swim_rank_alive',
  'swim_rank_dead',
  'system_start_failed',
  'system_stop_failed',
  'device_set_faulty',
  'device_media_error',
  'device_unplugged',
  'device_plugged',
  'device_replace',
  'system_fabric_provider_changed',
  'engine_join_failed',
  'device_link_speed_changed',
  'device_link_width_changed',
  'obj_csum_error',
  'device_led_set',
];
const TYPE_NAMES = ['ANY', 'STATE_CHANGE', 'INFO'];
const SEVERITY_NAMES = ['UNKNOWN', 'ERROR', 'WARNING', 'NOTICE'];

/** An event of this process, with time, host and process filled in. */
export function rasEvent(
  id: number,
  type: number,
  severity: number,
  msg: string,
  fields: Partial<RASEvent> = {},
): RASEvent {
  return RASEvent.fromPartial({
    id,
    type,
    severity,
    msg,
    timestamp: new Date().toISOString().replace('Z', '+00:00'),
    hostname: shortHostname(),
    procId: BigInt(process.pid),
    rank: NO_RANK,
    ...fields,
  });
}

export const NO_RANK = 0xffff_ffff;

function shortHostname(): string {
  return hostname().split('.')[0] ?? '';
}

/** One log line: `&&& RAS id: [..] ts: [..] ...` with the fields that are set. */
export function formatRasEvent(event: RASEvent): string {
  const fields: [string, string][] = [
    ['id', NAMES[event.id] ?? String(event.id)],
    ['ts', event.timestamp],
    ['host', event.hostname],
    ['type', TYPE_NAMES[event.type] ?? String(event.type)],
    ['sev', SEVERITY_NAMES[event.severity] ?? String(event.severity)],
    ['msg', event.msg],
    ['pid', event.procId === 0n ? '' : String(event.procId)],
    ['tid', event.threadId === 0n ? '' : String(event.threadId)],
    ['hwid', event.hwId],
    ['rank', event.rank === NO_RANK ? '' : String(event.rank)],
    ['incarnation', event.incarnation === 0n ? '' : String(event.incarnation)],
    ['jobid', event.jobId],
    ['pool', event.poolUuid],
    ['container', event.contUuid],
    ['objid', event.objId],
    ['ctlop', event.ctlOp],
    ['data', event.extendedInfo?.$case === 'strInfo' ? event.extendedInfo.value : ''],
  ];
  const set = fields.filter(([, value]) => value !== '');
  return `&&& RAS ${set.map(([name, value]) => `${name}: [${value}]`).join(' ')}`;
}
