import type { Daos } from '@daos/client';
import { ContextError, describeError, formatPoolList, poolInfoJson, type PoolInfo } from '@daos/control';
import { VerbFailure, type VerbContext, type VerbResult } from '@daos/control/cli';
import { isDaosError } from '@daos/common';

import { CONNECT_TIMEOUT_MS, connectPool, failAs, withDaos } from '../session.js';
import { poolInfoOf } from './pool_info.js';

type Listed = Awaited<ReturnType<Daos['poolList']>>[number];

/** `daos pool list`: pools that this user may connect to. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const noQuery = context.options.query === false;
  const verbose = context.options.verbose === true;
  const results = await withDaos(context, async (daos) => {
    const listed = await daos.poolList({ signal: context.signal, timeoutMs: CONNECT_TIMEOUT_MS }).catch(failAs('failed to list pools'));
    return Promise.all(listed.map((pool) => (noQuery ? Promise.resolve(listedOnly(pool)) : queried(context, daos, pool))));
  });
  const pools = results.filter((result): result is PoolInfo => result !== undefined && !('error' in result));
  const failures = results.filter((result) => result !== undefined && 'error' in result);
  context.io.print(formatPoolList(pools, { verbose, noQuery }));
  const json = { pools: pools.length === 0 ? null : pools.map(poolInfoJson) };
  if (failures.length === 0) return { json };
  const texts = failures.map(({ name, error }) => `Query on pool ${JSON.stringify(name)} unsuccessful, error: ${JSON.stringify(describeError(error))}`);
  if (!context.json) context.io.error(`${texts.join('\n')}\n`);
  throw new VerbFailure(new ContextError('list pools failed', new Error(texts.join(', '))), json);
}

/** Space and health of one pool; undefined when this user has no business with it. */
async function queried(context: VerbContext, daos: Daos, listed: Listed): Promise<PoolInfo | { name: string; error: unknown } | undefined> {
  try {
    const pool = await connectPool(daos, listed.uuid, 'ro', context.signal);
    try {
      return { ...poolInfoOf(await pool.query({ signal: context.signal })), label: listed.label };
    } finally {
      await pool.close();
    }
  } catch (error) {
    if (isDaosError(error, 'NO_PERM')) return undefined;
    return { name: listed.label === '' ? listed.uuid : listed.label, error };
  }
}

function listedOnly(pool: Listed): PoolInfo {
  return {
    queryParts: [],
    state: 'Ready',
    uuid: pool.uuid,
    label: pool.label,
    totalTargets: 0,
    activeTargets: 0,
    totalEngines: 0,
    disabledTargets: 0,
    version: 0,
    serviceLeader: 0,
    serviceRanks: pool.serviceRanks,
    rebuild: undefined,
    tiers: undefined,
    enabledRanks: undefined,
    disabledRanks: undefined,
    deadRanks: undefined,
    layoutVersion: 0,
    upgradeLayoutVersion: 0,
    memFileBytes: 0n,
    mdOnSsd: false,
    selfHealPolicy: '',
  };
}
