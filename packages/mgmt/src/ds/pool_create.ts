import { TAG_SYSTEM } from '@daos/cart';
import { DaosError, isDaosError, isUuid, type Uuid } from '@daos/common';
import type { Xstream } from '@daos/engine';
import { getLogger } from '@daos/gurt';
import { dsPoolSvcCreate } from '@daos/pool/ds';
import type { PoolCreateReq, PoolCreateResp } from '@daos/proto/mgmt/pool';

import { MGMT_TGT_CREATE, MGMT_TGT_DESTROY } from '../rpc.js';
import { propsFromWire } from './pool_prop.js';

const log = getLogger('mgmt');

const GIB = 1024 ** 3;
/** Deadline of making a pool's storage on one rank, by the size of its SCM part. */
const CREATE_TIMEOUTS: readonly { readonly belowBytes: number; readonly ms: number }[] = [
  { belowBytes: 32 * GIB, ms: 60_000 },
  { belowBytes: 128 * GIB, ms: 120_000 },
  { belowBytes: Number.POSITIVE_INFINITY, ms: 180_000 },
];
const DESTROY_TIMEOUT_MS = 90_000;
const SERVICE_CREATE_TIMEOUT_MS = 60_000;

/** Property numbers that the pool service takes as parameters of their own. */
const PROP_LABEL = 1;
const PROP_ACL = 2;

/**
 * Creates a pool on its ranks: storage everywhere, then the pool service. Any failure takes away what was made and is
 * thrown. DER_OOG for a rank outside the group, DER_INVAL, DER_NOSPACE.
 */
export async function mgmtPoolCreate(xs: Xstream, request: PoolCreateReq): Promise<Partial<PoolCreateResp>> {
  if (!isUuid(request.uuid)) throw new DaosError('INVAL', `"${request.uuid}" is not a pool UUID`);
  const poolUuid = request.uuid.toLowerCase();
  const ranks = [...new Set(request.ranks)].sort((a, b) => a - b);
  requireInGroup(xs, ranks);
  const [scmBytes = 0n, nvmeBytes = 0n] = request.tierBytes;
  const targets = BigInt(xs.engine.targetCount);
  const perTarget = {
    scmBytesPerTarget: Number(scmBytes / targets),
    nvmeBytesPerTarget: Number(nvmeBytes / targets),
  };
  if (perTarget.scmBytesPerTarget <= 0) throw new DaosError('INVAL', `pool ${poolUuid} has no SCM size`);
  try {
    await createTargets(xs, ranks, { poolUuid, ...perTarget });
    const service = await createService(xs, poolUuid, ranks, request);
    return {
      svcLdr: service.leaderRank,
      svcReps: service.svcRanks,
      tgtRanks: ranks,
      tierBytes: [
        BigInt(perTarget.scmBytesPerTarget) * targets,
        BigInt(perTarget.nvmeBytesPerTarget) * targets,
      ],
    };
  } catch (error) {
    log.error(
      `pool ${poolUuid} cannot be created, removing its parts: ${
        error instanceof Error ? error.message : String(error)
      }`,
    );
    await destroyTargets(xs, ranks, poolUuid).catch((cause: unknown) => {
      log.error(
        `parts of pool ${poolUuid} are left behind: ${
          cause instanceof Error ? cause.message : String(cause)
        }`,
      );
    });
    throw error;
  }
}

function requireInGroup(xs: Xstream, ranks: readonly number[]): void {
  if (ranks.length === 0) throw new DaosError('INVAL', 'a pool needs at least one rank');
  const group = new Set(xs.groupRanks().map((member) => member.rank));
  const outside = ranks.filter((rank) => !group.has(rank));
  if (outside.length > 0) throw new DaosError('OOG', `rank ${outside.join(',')} is not in the group`);
}

interface TargetCreate {
  readonly poolUuid: Uuid;
  readonly scmBytesPerTarget: number;
  readonly nvmeBytesPerTarget: number;
}

async function createTargets(xs: Xstream, ranks: readonly number[], input: TargetCreate): Promise<void> {
  const scmBytes = input.scmBytesPerTarget * xs.engine.targetCount;
  const timeoutMs = CREATE_TIMEOUTS.find((row) => scmBytes < row.belowBytes)?.ms ?? SERVICE_CREATE_TIMEOUT_MS;
  await onAllRanks(
    ranks,
    (rank) => xs.cart.call({ rank, tag: TAG_SYSTEM }, MGMT_TGT_CREATE, input, { timeoutMs }),
  );
}

/** Removes a pool's storage from the ranks. A rank without it counts as done; the first failure is thrown at the end. */
export async function destroyTargets(xs: Xstream, ranks: readonly number[], poolUuid: Uuid): Promise<void> {
  await onAllRanks(ranks, async (rank) => {
    try {
      await xs.cart.call({ rank, tag: TAG_SYSTEM }, MGMT_TGT_DESTROY, { poolUuid }, {
        timeoutMs: DESTROY_TIMEOUT_MS,
      });
    } catch (error) {
      if (!isDaosError(error, 'NONEXIST')) throw error;
    }
  });
}

/** Waits for all ranks, then throws the first failure in rank order. */
async function onAllRanks(ranks: readonly number[], run: (rank: number) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled(ranks.map(run));
  for (const [index, result] of results.entries()) {
    if (result.status === 'rejected') {
      const cause: unknown = result.reason;
      if (isDaosError(cause) && cause.der !== 'UNKNOWN') {
        throw new DaosError(cause.der, `rank ${ranks[index]}: ${cause.detail}`, { cause });
      }
      throw cause;
    }
  }
}

async function createService(xs: Xstream, poolUuid: Uuid, ranks: readonly number[], request: PoolCreateReq) {
  const props = propsFromWire(request.properties);
  const label = props.find((prop) => prop.number === PROP_LABEL)?.value;
  return dsPoolSvcCreate(xs, {
    poolUuid,
    label: typeof label === 'string' ? label : undefined,
    ranks,
    targetsPerRank: xs.engine.targetCount,
    svcRanks: chooseServiceRanks(ranks, request.numSvcReps),
    props: props.filter((prop) => prop.number !== PROP_LABEL && prop.number !== PROP_ACL),
    owner: request.user,
    group: request.userGroup,
    acl: request.acl.length > 0 ? request.acl : undefined,
    faultDomains: request.faultDomains,
    timeoutMs: SERVICE_CREATE_TIMEOUT_MS,
  });
}

/** The first `count` ranks; undefined lets the pool service choose. */
function chooseServiceRanks(ranks: readonly number[], count: number): number[] | undefined {
  return count === 0 ? undefined : ranks.slice(0, count);
}
