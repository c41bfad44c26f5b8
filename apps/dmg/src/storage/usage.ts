import { formatBytes, formatTable, storageScan } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';
import type { StorageScanResp } from '@daos/proto/ctl/storage';

import { hostsOption, unwrapSetup, withControl } from '../session.js';
import { failOnHostErrors, groupHosts, hostsText } from './host_groups.js';
import { scannedStorage } from './host_storage.js';
import { sum } from './scan.js';

const TITLES = ['Hosts', 'SCM-Total', 'SCM-Free', 'SCM-Used', 'NVMe-Total', 'NVMe-Free', 'NVMe-Used'];

/** `dmg storage query usage`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const results = await withControl(context, (client) => storageScan(client, { hosts: hostsOption(context), usage: true })).catch(unwrapSetup);
  const groups = groupHosts(results, (response) => response);
  if (groups.length > 0) {
    context.io.print(formatTable(TITLES, groups.map((group) => ({ Hosts: hostsText(group.hosts), ...usageRow(group.value) }))));
  }
  const map = groups.map((group) => [group.hash, { storage: scannedStorage(group.value), hosts: group.hosts.join(',') }] as const);
  const json = { host_errors: results.errors.toJson(), HostStorage: map.length === 0 ? null : Object.fromEntries(map) };
  failOnHostErrors(context, results.errors, json);
  return { json };
}

function usageRow(response: StorageScanResp): Record<string, string> {
  const mounts = (response.scm?.namespaces ?? []).flatMap((namespace) => namespace.mount ?? []);
  const devices = (response.nvme?.ctrlrs ?? []).flatMap((controller) => controller.smdDevices);
  const scm = { total: sum(mounts.map((mount) => mount.totalBytes)), free: sum(mounts.map((mount) => mount.availBytes)) };
  const nvme = { total: sum(devices.map((device) => device.totalBytes)), free: sum(devices.map((device) => device.availBytes)) };
  return {
    'SCM-Total': formatBytes(scm.total),
    'SCM-Free': formatBytes(scm.free),
    'SCM-Used': usedText(scm),
    'NVMe-Total': formatBytes(nvme.total),
    'NVMe-Free': formatBytes(nvme.free),
    'NVMe-Used': usedText(nvme),
  };
}

function usedText(space: { total: bigint; free: bigint }): string {
  if (space.total === 0n) return 'N/A';
  return `${((space.total - space.free) * 100n) / space.total} %`;
}
