import { ComponentStatus, DaosError, type PoolTarget } from '@daos/common';
import { getLogger } from '@daos/gurt';

import {
  PoolQueryBit,
  type PoolQueryResult,
  type PoolTargetInfo,
  type PoolTargetState,
} from '../../types.js';
import { POOL_GLOBAL_VERSION, PoolKey } from '../layout.js';
import type { PoolService } from '../pool_service.js';
import { poolLabel } from '../pool_props.js';
import { aggregateSpace, type TargetSpace } from '../space.js';

const log = getLogger('pool');
const NO_SPACE = { totalBytes: 0, freeBytes: 0 };

/** Answers a query. Space is of the ranks that answer in time; ranks that do not are told as dead. */
export async function poolQuery(service: PoolService, bits: number): Promise<PoolQueryResult> {
  const { map } = service;
  const facts = await service.read((tx) => ({
    label: poolLabel(tx),
    layoutVersion: service.number(tx, PoolKey.GLOBAL_VERSION),
  }));
  const space = bits & PoolQueryBit.SPACE ? await querySpace(service) : { targets: [], deadRanks: [] };
  return {
    uuid: service.uuid,
    label: facts.label,
    targetCount: map.targets.length,
    nodeCount: map.ranks().length,
    disabledTargetCount: map.targets.filter(isDisabled).length,
    mapVersion: map.version,
    layoutVersion: facts.layoutVersion,
    upgradeLayoutVersion: POOL_GLOBAL_VERSION,
    leaderRank: service.host.rank,
    serviceRanks: service.serviceRanks(),
    enabledRanks: bits & PoolQueryBit.ENGINES_ENABLED ? map.enabledRanks() : [],
    disabledRanks: bits & PoolQueryBit.ENGINES_DISABLED ? map.disabledRanks() : [],
    deadRanks: space.deadRanks,
    tiers: bits & PoolQueryBit.SPACE ? aggregateSpace(space.targets) : [],
    rebuild: { version: 0, state: 'idle', errorStatus: 0, objects: 0, records: 0 },
  };
}

/** Targets of one rank, all of them when none are listed. DER_NONEXIST for an unknown rank or target. */
export async function poolQueryTargets(
  service: PoolService,
  rank: number,
  wanted: readonly number[],
): Promise<PoolTargetInfo[]> {
  const domain = service.map.rankDomain(rank);
  if (!domain) throw new DaosError('NONEXIST', `rank ${rank} is not in pool ${service.uuid}`);
  const targets = service.map.targetsOf(domain);
  const chosen =
    wanted.length === 0
      ? targets
      : wanted.map((index) => {
          const target = targets.find((other) => other.index === index);
          if (!target)
            throw new DaosError('NONEXIST', `rank ${rank} has no target ${index} in pool ${service.uuid}`);
          return target;
        });
  const space = new Map((await service.host.queryRank(service.uuid, rank)).map((of) => [of.target, of]));
  return chosen.map((target) => {
    const { scm, nvme } = space.get(target.index) ?? { scm: NO_SPACE, nvme: NO_SPACE };
    return { rank, target: target.index, state: targetState(target.status), scm, nvme };
  });
}

async function querySpace(service: PoolService): Promise<{ targets: TargetSpace[]; deadRanks: number[] }> {
  const ranks = service.map.enabledRanks();
  const answers = await Promise.allSettled(ranks.map((rank) => service.host.queryRank(service.uuid, rank)));
  const deadRanks: number[] = [];
  const targets = answers.flatMap((answer, i) => {
    if (answer.status === 'fulfilled') return answer.value;
    log.warn(`pool ${service.uuid}: rank ${ranks[i]} does not tell its space: ${String(answer.reason)}`);
    deadRanks.push(ranks[i] ?? 0);
    return [];
  });
  return { targets, deadRanks };
}

function isDisabled({ status }: PoolTarget): boolean {
  return (status & (ComponentStatus.DOWN | ComponentStatus.DOWNOUT)) !== 0;
}

const STATES = new Map<number, PoolTargetState>([
  [ComponentStatus.NEW, 'new'],
  [ComponentStatus.UP, 'up'],
  [ComponentStatus.UPIN, 'up_in'],
  [ComponentStatus.DOWN, 'down'],
  [ComponentStatus.DOWNOUT, 'down_out'],
  [ComponentStatus.DRAIN, 'drain'],
]);

function targetState(status: number): PoolTargetState {
  return STATES.get(status) ?? 'unknown';
}
