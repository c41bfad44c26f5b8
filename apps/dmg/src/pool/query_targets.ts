import { formatBytes, poolQuery, poolQueryTargets } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';
import { PoolQueryTargetInfo_TargetState, StorageMediaType, type PoolQueryTargetInfo } from '@daos/proto/mgmt/pool';

import { failAs, poolArgument, withControl } from '../session.js';

/** `dmg pool query-targets`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const id = poolArgument(context);
  const rank = Number(context.options.rank);
  const wanted = context.options.targetIdx;
  const response = await withControl(context, async (client) => {
    const targets = Array.isArray(wanted) ? (wanted as number[]) : await allTargets(() => poolQuery(client, id, []));
    return poolQueryTargets(client, id, { rank, targets });
  }).catch(failAs('pool query targets failed'));
  context.io.print(response.infos.map(targetText).join(''));
  return { json: { status: 0, Infos: response.infos.map(targetJson) } };
}

async function allTargets(query: () => Promise<{ totalTargets: number; totalEngines: number }>): Promise<number[]> {
  const pool = await query();
  const perEngine = pool.totalEngines === 0 ? 0 : Math.floor(pool.totalTargets / pool.totalEngines);
  return Array.from({ length: perEngine }, (_, index) => index);
}

function stateName(info: PoolQueryTargetInfo): string {
  return (PoolQueryTargetInfo_TargetState[info.state] ?? 'unknown').toLowerCase().replace(/^state_/, '');
}

function targetText(info: PoolQueryTargetInfo): string {
  const tiers = info.space.map((tier, index) => {
    const name = tier.mediaType === StorageMediaType.NVME ? 'NVME' : 'SCM';
    return `- Storage tier ${index} (${name}):\n  Total size: ${formatBytes(tier.total)}\n  Free: ${formatBytes(tier.free)}\n`;
  });
  return `Target: state ${stateName(info)}\n${tiers.join('')}`;
}

function targetJson(info: PoolQueryTargetInfo): Record<string, unknown> {
  return {
    target_state: stateName(info),
    space: info.space.map((tier) => ({
      total: tier.total,
      free: tier.free,
      min: 0,
      max: 0,
      mean: 0,
      media_type: tier.mediaType === StorageMediaType.NVME ? 'nvme' : 'scm',
    })),
    mem_file_bytes: info.memFileBytes,
    md_on_ssd_active: info.mdOnSsdActive,
  };
}
