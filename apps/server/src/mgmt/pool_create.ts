import { DaosError, isUuid } from '@daos/common';
import { RankSet, findFault, isLabel } from '@daos/control';
import { MgmtMethod } from '@daos/drpc';
import { PoolCreateReq, PoolCreateResp, PoolDestroyReq, PoolDestroyResp } from '@daos/proto/mgmt/pool';

import type { ServerContext } from '../context.js';
import {
  FAULT_DATA_PLANE_NOT_STARTED,
  faultDuplicateLabel,
  faultInvalidRankCount,
  faultInvalidRanks,
  faultInvalidReplicaCount,
  faultNoPoolLabel,
  faultNoRanks,
  faultTooFewDomains,
} from '../faults.js';
import { rankUsage } from '../system/capacity.js';
import { countFaultDomains, encodeFaultDomains } from '../system/fault_domain_tree.js';
import { isAvailable, type Member } from '../system/member.js';
import type { PoolRecord } from '../system/pool_record.js';
import type { SystemDb } from '../system/system_db.js';
import { checkRoom, requestedTierBytes, type TierBytes } from './pool_size.js';

const CREATE_TIMEOUT_MS = 9 * 60_000;
const CLEAN_UP_TIMEOUT_MS = 2 * 60_000;
const SERVICE_REPLICAS_MAX = 9;
const PROP_LABEL = 1;
const PROP_REDUNDANCY = 11;

/** Creates pools, one after another. A request with the UUID of a pool that exists answers with that pool. */
export class PoolCreator {
  private tail: Promise<unknown> = Promise.resolve();
  private readonly cleaning = new Set<string>();

  constructor(private readonly context: ServerContext) {}

  create(request: PoolCreateReq): Promise<PoolCreateResp> {
    const run = this.tail.then(() => this.createOne(request));
    this.tail = run.catch(() => undefined);
    return run;
  }

  private async createOne(request: PoolCreateReq): Promise<PoolCreateResp> {
    const db = this.context.ms.requireLeader();
    this.context.harness.requireStarted();
    if (!isUuid(request.uuid)) throw new DaosError('INVAL', `"${request.uuid}" is not a pool UUID`);
    const existing = db.state.poolByUuid(request.uuid);
    if (existing) return this.answerExisting(existing);
    const label = checkLabel(db, request);
    const members = chooseMembers(db.state.members, request);
    const ranks = members.map((member) => member.rank);
    checkReplicas(request.numSvcReps, ranks.length);
    checkRedundancy(request, db.state.members, ranks);
    const tierBytes = await this.sizes(db, request, members);
    const engineRequest: PoolCreateReq = {
      ...request,
      ranks,
      numRanks: 0,
      totalBytes: 0n,
      tierRatio: [],
      tierBytes: [...tierBytes],
      faultDomains: encodeFaultDomains(db.state.members, ranks),
    };
    await this.context.harness.waitReadyClient();
    await db.addPool(newRecord(request.uuid, label, ranks, tierBytes));
    return this.createOnEngines(db, engineRequest);
  }

  /** A pool that is not ready is what a crash or a lost call left behind: it is cleaned up, and the caller tries again. */
  private answerExisting(pool: PoolRecord): PoolCreateResp {
    if (pool.state !== 'Ready') {
      this.cleanUpLater(pool);
      throw new DaosError('AGAIN', `pool ${pool.uuid} is ${pool.state}`);
    }
    return PoolCreateResp.fromPartial({
      svcLdr: pool.replicas[0] ?? 0,
      svcReps: [...pool.replicas],
      tgtRanks: [...pool.ranks],
      tierBytes: pool.tierBytes.map(BigInt),
    });
  }

  private async sizes(db: SystemDb, request: PoolCreateReq, members: readonly Member[]): Promise<TierBytes> {
    const { harness, transport, config } = this.context;
    const usages = await Promise.all(
      members.map((member) => rankUsage(member, db.state.pools, harness, transport)),
    );
    const hasData = usages.every((usage) => usage.data !== undefined);
    const [engine] = config.engines;
    const isFileBacked = engine?.data?.storageClass === 'file';
    const tierBytes = requestedTierBytes(request, {
      count: members.length,
      targets: engine?.targets ?? 1,
      hasData,
      isFileBacked,
    });
    for (const [index, usage] of usages.entries()) checkRoom(members[index]?.rank ?? 0, tierBytes, usage);
    return tierBytes;
  }

  private async createOnEngines(db: SystemDb, request: PoolCreateReq): Promise<PoolCreateResp> {
    let response: PoolCreateResp;
    try {
      const engine = this.context.harness.readyClient();
      response = await engine.call(MgmtMethod.POOL_CREATE, PoolCreateReq, request, PoolCreateResp, {
        timeoutMs: CREATE_TIMEOUT_MS,
      });
    } catch (error) {
      await this.giveUp(db, request, error);
      if (findFault(error, FAULT_DATA_PLANE_NOT_STARTED)) {
        throw new DaosError('AGAIN', 'no engine of this server is ready', { cause: error });
      }
      throw error;
    }
    await db.updatePool(request.uuid, () => ({
      state: 'Ready',
      replicas: response.svcReps,
      tierBytes: response.tierBytes.length > 0
        ? response.tierBytes.map(Number)
        : request.tierBytes.map(Number),
    }));
    this.context.log.info(`pool ${request.uuid} created on ranks ${new RankSet(request.ranks).toString()}`);
    return { ...response, tgtRanks: request.ranks };
  }

  /** An engine that answered has taken its parts away again; one that did not answer may still hold some. */
  private async giveUp(db: SystemDb, request: PoolCreateReq, error: unknown): Promise<void> {
    const pool = db.state.poolByUuid(request.uuid);
    const engineAnswered = error instanceof DaosError &&
      !['IO', 'TIMEDOUT', 'UNREACH', 'CANCELED', 'PROTO'].includes(error.der);
    if (engineAnswered || findFault(error, FAULT_DATA_PLANE_NOT_STARTED)) await db.removePool(request.uuid);
    else if (pool) this.cleanUpLater(pool);
  }

  /** Removes what is left of a pool, in the background; the record goes when nothing is left. */
  cleanUpLater(pool: PoolRecord): void {
    if (this.cleaning.has(pool.uuid)) return;
    this.cleaning.add(pool.uuid);
    void this.cleanUp(pool)
      .catch((error: unknown) => {
        this.context.log.error(
          `cleaning up pool ${pool.uuid} failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      })
      .finally(() => this.cleaning.delete(pool.uuid));
  }

  private async cleanUp(pool: PoolRecord): Promise<void> {
    const db = this.context.ms.requireLeader();
    const engine = this.context.harness.readyClient();
    const request = {
      sys: this.context.config.systemName,
      id: pool.uuid,
      force: true,
      svcRanks: [...pool.ranks],
    };
    await engine.call(MgmtMethod.POOL_DESTROY, PoolDestroyReq, request, PoolDestroyResp, {
      timeoutMs: CLEAN_UP_TIMEOUT_MS,
    });
    await db.removePool(pool.uuid);
    this.context.log.notice(`pool ${pool.uuid}, which was ${pool.state}, was cleaned up`);
  }

  /** Pools that a crash left half made or half removed. */
  cleanUpAll(): void {
    for (const pool of this.context.ms.localDb?.state.pools ?? []) {
      if (pool.state !== 'Ready') this.cleanUpLater(pool);
    }
  }
}

function newRecord(uuid: string, label: string, ranks: readonly number[], tierBytes: TierBytes): PoolRecord {
  return {
    uuid: uuid.toLowerCase(),
    label,
    state: 'Creating',
    replicas: [],
    replicasVersion: 0,
    ranks,
    tierBytes: tierBytes.map(Number),
    lastUpdate: new Date().toISOString(),
  };
}

function checkLabel(db: SystemDb, request: PoolCreateReq): string {
  const value = request.properties.find((property) => property.number === PROP_LABEL)?.value;
  const label = value?.$case === 'strval' ? value.value : '';
  if (label === '') throw faultNoPoolLabel();
  if (!isLabel(label)) throw new DaosError('INVAL', `invalid pool label "${label}"`);
  if (db.state.poolByLabel(label)) throw faultDuplicateLabel(label);
  return label;
}

/** Explicit ranks must all be available; else so many as asked for, at random, or all. */
function chooseMembers(members: readonly Member[], request: PoolCreateReq): readonly Member[] {
  const available = members.filter(isAvailable);
  if (request.ranks.length > 0) {
    const wanted = new RankSet(request.ranks);
    const missing = wanted.ranks.filter((rank) => !available.some((member) => member.rank === rank));
    if (missing.length > 0) throw faultInvalidRanks(new RankSet(missing).toString());
    return available.filter((member) => wanted.has(member.rank));
  }
  if (available.length === 0) throw faultNoRanks();
  if (request.numRanks === 0) return available;
  if (request.numRanks > available.length) throw faultInvalidRankCount(request.numRanks, available.length);
  return shuffled(available).slice(0, request.numRanks).sort((a, b) => a.rank - b.rank);
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function checkReplicas(wanted: number, rankCount: number): void {
  const max = Math.min(rankCount, SERVICE_REPLICAS_MAX);
  if (wanted > max) throw faultInvalidReplicaCount(max);
}

function checkRedundancy(request: PoolCreateReq, members: readonly Member[], ranks: readonly number[]): void {
  const value = request.properties.find((property) => property.number === PROP_REDUNDANCY)?.value;
  if (value?.$case !== 'numval') return;
  const domains = countFaultDomains(members, ranks);
  if (BigInt(domains) < value.value + 1n) throw faultTooFewDomains(domains, Number(value.value));
}
