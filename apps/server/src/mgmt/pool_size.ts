import { DaosError } from '@daos/common';
import { formatBytes } from '@daos/control';
import type { PoolCreateReq } from '@daos/proto/mgmt/pool';

import { faultMemRatioWithoutRoles, faultNvmeTooSmall, faultScmTooSmall } from '../faults.js';
import type { RankUsage } from '../system/capacity.js';

const MIB = 1024n * 1024n;
/** Least SCM space of one target. */
const SCM_BYTES_MIN_PER_TARGET = 16n * MIB;
/** Least NVMe space of one target: one cluster of a device; files have no clusters. */
const NVME_BYTES_MIN_PER_TARGET = 1024n * MIB;
const FILE_BYTES_MIN_PER_TARGET = 16n * MIB;

/** What the ranks of a pool have in common. */
export interface RankShape {
  readonly count: number;
  readonly targets: number;
  readonly hasData: boolean;
  /** The data tier is a folder of files, not a device. */
  readonly isFileBacked: boolean;
}

/** Bytes per rank of the tiers: SCM, NVMe. */
export type TierBytes = readonly [bigint, bigint];

/**
 * The sizes that a request asks for on each rank: given per rank, or as a total with a ratio. DER_INVAL for size 0,
 * faults 604, 605, 619.
 */
export function requestedTierBytes(request: PoolCreateReq, ranks: RankShape): TierBytes {
  const { targets, hasData } = ranks;
  if (request.memRatio > 0) throw faultMemRatioWithoutRoles();
  const [scm, nvme] = request.tierBytes.length > 0
    ? explicitBytes(request, hasData)
    : ratioBytes(request, ranks.count, hasData);
  const scmMin = SCM_BYTES_MIN_PER_TARGET * BigInt(targets);
  const nvmeMin = (ranks.isFileBacked ? FILE_BYTES_MIN_PER_TARGET : NVME_BYTES_MIN_PER_TARGET) *
    BigInt(targets);
  if (scm < scmMin) throw faultScmTooSmall(scm, scmMin, targets);
  if (nvme !== 0n && nvme < nvmeMin) throw faultNvmeTooSmall(nvme, nvmeMin, targets);
  return [scm, nvme];
}

function explicitBytes(request: PoolCreateReq, hasData: boolean): TierBytes {
  const [scm = 0n, nvme = 0n, ...more] = request.tierBytes;
  if (more.length > 0) throw new DaosError('INVAL', 'more than two tier sizes given');
  if (scm + nvme === 0n) throw new DaosError('INVAL', 'pool size is 0');
  if (nvme > 0n && !hasData) throw new DaosError('INVAL', 'NVMe size given, but the ranks have zero bdevs');
  return [scm, nvme];
}

function ratioBytes(request: PoolCreateReq, rankCount: number, hasData: boolean): TierBytes {
  if (request.totalBytes === 0n) throw new DaosError('INVAL', 'pool size is 0');
  if (!hasData) return [request.totalBytes / BigInt(rankCount), 0n];
  const [scmRatio, nvmeRatio] = request.tierRatio;
  if (scmRatio === undefined || nvmeRatio === undefined) {
    throw new DaosError('INVAL', 'a total size needs a ratio for each tier');
  }
  const part = (ratio: number) => BigInt(Math.floor((Number(request.totalBytes) * ratio) / rankCount));
  return [part(scmRatio), part(nvmeRatio)];
}

/** DER_NOSPACE, naming rank, tier and what is available, when a rank cannot hold the sizes. */
export function checkRoom(rank: number, wanted: TierBytes, usage: RankUsage): void {
  const check = (tier: string, bytes: bigint, available: bigint) => {
    if (bytes > available) {
      throw new DaosError(
        'NOSPACE',
        `rank ${rank} has ${formatBytes(available)} of ${tier} available, ${formatBytes(bytes)} requested`,
      );
    }
  };
  check('SCM', wanted[0], usage.scm.availableBytes);
  check('NVMe', wanted[1], usage.data?.availableBytes ?? 0n);
}
