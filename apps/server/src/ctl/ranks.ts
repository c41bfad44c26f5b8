import { DaosError } from '@daos/common';
import { RankSet } from '@daos/control';
import type { RanksReq } from '@daos/proto/ctl/ranks';
import type { RankResult } from '@daos/proto/shared/ranks';

import type { ServerContext } from '../context.js';
import { faultInstancesNotStopped } from '../faults.js';
import { STOP_TIMEOUT_MS } from '../harness/harness.js';
import type { EngineInstance } from '../harness/instance.js';
import { RANK_ACTIONS, type LocalRankHandler, type RankOperation } from '../system/host_caller.js';

const START_TIMEOUT_MS = 120_000;
const AWAIT_FORMAT_TIMEOUT_MS = 30_000;

type Harness = ServerContext['harness'];

/** Rank operations on this host's engines. Ranks that live elsewhere are ignored; DER_INVAL for an empty set. */
export function localRankHandler(harness: Harness, onManual: (rank: number) => void): LocalRankHandler {
  return async (operation, request) => {
    harness.requireStarted();
    const instances = selectInstances(harness, request);
    const results = await Promise.all(
      instances.map((instance) => runOne(operation, instance, request.force, onManual)),
    );
    return { results };
  };
}

function selectInstances(harness: Harness, request: RanksReq): EngineInstance[] {
  const ranks = RankSet.parse(request.ranks);
  if (ranks.size === 0) throw new DaosError('INVAL', 'no ranks specified in request');
  return harness.withRanks(ranks);
}

async function runOne(
  operation: RankOperation,
  instance: EngineInstance,
  force: boolean,
  onManual: (rank: number) => void,
): Promise<RankResult> {
  const rank = instance.rank ?? 0;
  try {
    switch (operation) {
      case 'PrepShutdownRanks':
        return await prepShutdown(instance, rank);
      case 'StopRanks':
        onManual(rank);
        await instance.stop(force ? 'SIGKILL' : 'SIGINT', STOP_TIMEOUT_MS);
        return result(operation, rank, 'stopped');
      case 'StartRanks':
        onManual(rank);
        return await start(instance, rank);
      case 'ResetFormatRanks':
        return await resetFormat(instance, rank);
    }
  } catch (error) {
    return {
      ...result(operation, rank, 'errored'),
      errored: true,
      msg: error instanceof Error ? error.message : String(error),
    };
  }
}

function result(operation: RankOperation, rank: number, state: string): RankResult {
  return { rank, action: RANK_ACTIONS[operation], errored: false, msg: '', state, addr: '' };
}

async function prepShutdown(instance: EngineInstance, rank: number): Promise<RankResult> {
  if (instance.state === 'Stopped') return result('PrepShutdownRanks', rank, 'stopped');
  await instance.requireClient().prepShutdown(rank);
  return result('PrepShutdownRanks', rank, 'stopping');
}

/** An engine that runs already is a success. */
async function start(instance: EngineInstance, rank: number): Promise<RankResult> {
  if (instance.state !== 'Ready') instance.start();
  const reached = await instance.waitState(['Ready', 'Stopped', 'AwaitFormat'], START_TIMEOUT_MS);
  if (reached && instance.state === 'Ready') return result('StartRanks', rank, 'ready');
  const why = instance.state === 'AwaitFormat'
    ? 'storage needs a format'
    : instance.lastError === ''
    ? 'did not start in time'
    : instance.lastError;
  return { ...result('StartRanks', rank, 'errored'), errored: true, msg: why };
}

async function resetFormat(instance: EngineInstance, rank: number): Promise<RankResult> {
  if (instance.state !== 'Stopped') throw faultInstancesNotStopped('reset format', String(rank));
  await instance.storage.invalidate();
  instance.start();
  if (await instance.waitState(['AwaitFormat'], AWAIT_FORMAT_TIMEOUT_MS)) {
    return result('ResetFormatRanks', rank, 'awaitformat');
  }
  throw new Error(instance.lastError === '' ? 'the instance does not wait for a format' : instance.lastError);
}
