import { NvmeDevState } from '@daos/proto/ctl/smd';
import type { StorageScanResp } from '@daos/proto/ctl/storage';

import { RankSet } from '../rank_set.js';
import type { ControlClient, ControlOptions } from './control_client.js';
import { storageScan } from './storage.js';
import { systemQuery } from './system.js';

const ROLE_DATA = 1;

/**
 * Size per rank and tier of a pool that takes a share (0-1] of the usable storage of its ranks: the smallest rank
 * decides. `ranks`: those of the pool, all joined ones when empty. `memRatio`: memory file to metadata blob, 0-1.
 */
export async function tierBytesOfShare(
  client: ControlClient,
  share: number,
  ranks: readonly number[] = [],
  memRatio = 0,
  options: ControlOptions = {},
): Promise<bigint[]> {
  if (memRatio < 0 || memRatio > 1) throw new Error(`invalid mem-ratio, want [0-1] got ${memRatio}`);
  const wanted = await joinedRanks(client, ranks, options);
  const scan = await storageScan(client, { ...options, usage: true });
  const failed = scan.errors.entries()[0];
  if (failed) throw new Error(`storage scan failed on ${failed.hosts.toString()}: ${failed.text}`);
  const scm = new Map<number, bigint>();
  const data = new Map<number, bigint>();
  let hasRoles = false;
  for (const { host, response } of scan.answers) {
    addScm(host, response, wanted, scm);
    hasRoles = addDevices(host, response, wanted, data) || hasRoles;
  }
  for (const rank of wanted) if (!scm.has(rank)) throw new Error(`rank ${rank} has no usable SCM storage`);
  for (const rank of data.keys()) if (!scm.has(rank)) throw new Error(`rank ${rank} has devices but no SCM storage`);
  let first = minimum(scm);
  // With metadata on devices the memory tier holds only a part of the metadata blob.
  if (hasRoles) first = BigInt(Math.floor(Number(first) / (memRatio === 0 ? 1 : memRatio)));
  const second = data.size === 0 ? 0n : minimum(data);
  const tiers = [first, second].map((bytes) => BigInt(Math.floor(Number(bytes) * share)));
  if (tiers[0] === 0n) throw new Error('not enough SCM storage available with ratio: SCM storage capacity or ratio should be increased');
  return tiers;
}

async function joinedRanks(client: ControlClient, ranks: readonly number[], options: ControlOptions): Promise<RankSet> {
  const { members } = await systemQuery(client, {}, options);
  const joined = new RankSet(members.filter((member) => member.state.toLowerCase() === 'joined').map((member) => member.rank));
  if (joined.size === 0) throw new Error('no rank has joined the system');
  if (ranks.length === 0) return joined;
  const missing = new RankSet(ranks.filter((rank) => !joined.has(rank)));
  if (missing.size > 0) throw new Error(`ranks ${missing} are not joined to the system`);
  return new RankSet(ranks);
}

function addScm(host: string, response: StorageScanResp, wanted: RankSet, found: Map<number, bigint>): void {
  const namespaces = response.scm?.namespaces ?? [];
  if (namespaces.length === 0) throw new Error(`host ${host} has no SCM storage`);
  for (const { mount, blockdev } of namespaces) {
    if (!mount) throw new Error(`SCM ${blockdev} of host ${host} is not mounted`);
    if (!wanted.has(mount.rank)) continue;
    if (found.has(mount.rank)) throw new Error(`rank ${mount.rank} has more than one SCM storage`);
    found.set(mount.rank, mount.usableBytes);
  }
}

/** Adds usable bytes of data devices by rank; true when the devices carry roles. */
function addDevices(host: string, response: StorageScanResp, wanted: RankSet, found: Map<number, bigint>): boolean {
  let hasRoles = false;
  for (const controller of response.nvme?.ctrlrs ?? []) {
    for (const device of controller.smdDevices) {
      if (!wanted.has(device.rank)) continue;
      if (device.roleBits !== 0) hasRoles = true;
      if (device.roleBits !== 0 && (device.roleBits & ROLE_DATA) === 0) continue;
      if (controller.devState === NvmeDevState.NEW) continue;
      if (controller.devState !== NvmeDevState.NORMAL) {
        throw new Error(`device ${controller.pciAddr} of host ${host} is not usable (state ${NvmeDevState[controller.devState] ?? 'unknown'})`);
      }
      found.set(device.rank, (found.get(device.rank) ?? 0n) + device.usableBytes);
    }
  }
  return hasRoles;
}

function minimum(values: ReadonlyMap<number, bigint>): bigint {
  return [...values.values()].reduce((least, value) => (value < least ? value : least));
}
