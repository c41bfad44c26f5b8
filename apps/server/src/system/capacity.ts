import type { RpcTransport } from '@daos/control';
import { unaryMethod } from '@daos/proto';
import { StorageScanReq, StorageScanResp } from '@daos/proto/ctl/storage';

import type { Harness } from '../harness/harness.js';
import type { EngineInstance } from '../harness/instance.js';
import type { TierCapacity } from '../harness/storage.js';
import type { Member } from './member.js';
import type { PoolRecord } from './pool_record.js';

const SCAN_TIMEOUT_MS = 30_000;
const STORAGE_SCAN = unaryMethod('/ctl.CtlSvc/StorageScan', StorageScanReq, StorageScanResp);

/** One tier of one rank, in bytes. */
export interface TierUsage {
  readonly totalBytes: bigint;
  /** What new pools may take. */
  readonly availableBytes: bigint;
}

export interface RankUsage {
  readonly scm: TierUsage;
  /** Undefined when the rank has no block devices. */
  readonly data: TierUsage | undefined;
}

/** Bytes that pools take of one tier of a rank. */
export function allocatedBytes(pools: readonly PoolRecord[], rank: number, tier: number): bigint {
  let sum = 0n;
  for (const pool of pools) if (pool.ranks.includes(rank)) sum += BigInt(pool.tierBytes[tier] ?? 0);
  return sum;
}

/** Usage of a formatted engine of this host, given the pools of the system. */
export async function localUsage(instance: EngineInstance, pools: readonly PoolRecord[]): Promise<RankUsage> {
  const { rank } = instance;
  const allocated = (tier: number) => (rank === undefined ? 0n : allocatedBytes(pools, rank, tier));
  const scm = tierUsage(await instance.storage.scmCapacity(), allocated(0));
  const data = await instance.storage.dataCapacity();
  return { scm, data: data && tierUsage(data, allocated(1)) };
}

/** Configured size less reserve and pools, but no more than the disk can still store. */
function tierUsage(capacity: TierCapacity, allocated: bigint): TierUsage {
  const left = capacity.totalBytes - capacity.reserveBytes - allocated;
  const available = left < capacity.freeBytes ? left : capacity.freeBytes;
  return { totalBytes: capacity.totalBytes, availableBytes: available > 0n ? available : 0n };
}

/** Usage of any rank: of this host's engines directly, of others by asking their server. */
export async function rankUsage(
  member: Member,
  pools: readonly PoolRecord[],
  harness: Harness,
  transport: RpcTransport,
): Promise<RankUsage> {
  const local = harness.instances.find((instance) =>
    instance.rank === member.rank && instance.uuid === member.uuid
  );
  if (local) return localUsage(local, pools);
  const request = StorageScanReq.fromPartial({ scm: { usage: true }, nvme: { Meta: true } });
  const scan = await transport.call(member.address, STORAGE_SCAN, request, { timeoutMs: SCAN_TIMEOUT_MS });
  const mount = scan.scm?.namespaces.find((namespace) => namespace.mount?.rank === member.rank)?.mount;
  if (!mount) throw new Error(`server ${member.address} reports no storage of rank ${member.rank}`);
  const device = scan.nvme?.ctrlrs.flatMap((ctrlr) => ctrlr.smdDevices).find((smd) =>
    smd.rank === member.rank
  );
  // A server that holds no system database cannot know the pools: they are taken off here.
  const minus = (total: bigint, usable: bigint, tier: number): TierUsage => {
    const left = total - allocatedBytes(pools, member.rank, tier);
    const available = left < usable ? left : usable;
    return { totalBytes: total, availableBytes: available > 0n ? available : 0n };
  };
  return {
    scm: minus(mount.totalBytes, mount.usableBytes, 0),
    data: device && minus(device.totalBytes, device.usableBytes, 1),
  };
}
