import { formatBanner, formatBytes, formatTable, indentText, storageScan } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';
import type { StorageScanResp } from '@daos/proto/ctl/storage';

import { hostsOption, unwrapSetup, withControl } from '../session.js';
import { counted } from '../system/selection.js';
import { failOnHostErrors, groupHosts, hostsText, type HostGroup } from './host_groups.js';
import { scannedStorage } from './host_storage.js';

/** `dmg storage scan`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const { verbose, nvmeHealth } = context.options;
  if (verbose === true && nvmeHealth === true) throw new Error('cannot use --verbose with --nvme-health');
  const results = await withControl(context, (client) =>
    storageScan(client, { hosts: hostsOption(context), health: nvmeHealth === true }),
  ).catch(unwrapSetup);
  const groups = groupHosts(results, (response) => response);
  if (groups.length > 0) context.io.print(scanText(groups, { verbose: verbose === true, health: nvmeHealth === true }));
  const json = { host_errors: results.errors.toJson(), HostStorage: hostMap(groups) };
  failOnHostErrors(context, results.errors, json);
  return { json };
}

function hostMap(groups: readonly HostGroup<StorageScanResp>[]): Record<string, unknown> | null {
  if (groups.length === 0) return null;
  return Object.fromEntries(groups.map((group) => [group.hash, { storage: scannedStorage(group.value), hosts: group.hosts.join(',') }]));
}

function scanText(groups: readonly HostGroup<StorageScanResp>[], style: { verbose: boolean; health: boolean }): string {
  if (style.health) return groups.map((group) => formatBanner(hostsText(group.hosts)) + healthText(group.value)).join('\n');
  if (style.verbose) return groups.map((group) => formatBanner(hostsText(group.hosts)) + verboseText(group.value)).join('\n');
  return formatTable(
    ['Hosts', 'SCM Total', 'NVMe Total'],
    groups.map((group) => ({ Hosts: hostsText(group.hosts), 'SCM Total': scmSummary(group.value), 'NVMe Total': nvmeSummary(group.value) })),
  );
}

function scmSummary(response: StorageScanResp): string {
  const { modules = [], namespaces = [] } = response.scm ?? {};
  if (namespaces.length > 0) {
    return `${formatBytes(sum(namespaces.map((namespace) => namespace.size)))} (${counted(namespaces.length, 'namespace')})`;
  }
  return `${formatBytes(sum(modules.map((module) => module.capacity)))} (${counted(modules.length, 'module')})`;
}

function nvmeSummary(response: StorageScanResp): string {
  const controllers = response.nvme?.ctrlrs ?? [];
  const bytes = sum(controllers.flatMap((controller) => controller.namespaces.map((namespace) => namespace.size)));
  return `${formatBytes(bytes)} (${counted(controllers.length, 'controller')})`;
}

function verboseText(response: StorageScanResp): string {
  const memory = response.sysMemInfo ? `HugePage Size: ${response.sysMemInfo.hugepageSizeKb} KB\n\n` : '';
  return `${memory}${scmTable(response)}\n${nvmeTable(response)}`;
}

function scmTable(response: StorageScanResp): string {
  const namespaces = response.scm?.namespaces ?? [];
  if (namespaces.length === 0) return '  No SCM modules found\n';
  const rows = namespaces.map((namespace) => ({
    'SCM Namespace': namespace.blockdev,
    Socket: String(namespace.numaNode),
    Capacity: formatBytes(namespace.size),
  }));
  return indentText(formatTable(['SCM Namespace', 'Socket', 'Capacity'], rows));
}

const ROLES = [
  [1, 'data'],
  [2, 'meta'],
  [4, 'wal'],
] as const;

function nvmeTable(response: StorageScanResp): string {
  const controllers = response.nvme?.ctrlrs ?? [];
  if (controllers.length === 0) return '  No NVMe devices found\n';
  const rows = controllers.map((controller) => {
    const bits = controller.smdDevices.reduce((mask, device) => mask | device.roleBits, 0);
    const roles = ROLES.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
    const ranks = [...new Set(controller.smdDevices.map((device) => device.rank))];
    return {
      'NVMe PCI': controller.pciAddr,
      Model: controller.model,
      'FW Revision': controller.fwRev,
      Socket: String(controller.socketId),
      Capacity: formatBytes(sum(controller.namespaces.map((namespace) => namespace.size))),
      'Role(s)': roles.length === 0 ? 'NA' : roles.join(','),
      Rank: ranks.length === 0 ? 'None' : ranks.join(','),
    };
  });
  return indentText(formatTable(['NVMe PCI', 'Model', 'FW Revision', 'Socket', 'Capacity', 'Role(s)', 'Rank'], rows));
}

function healthText(response: StorageScanResp): string {
  const controllers = response.nvme?.ctrlrs ?? [];
  if (controllers.length === 0) return '  No NVMe devices detected\n';
  const lines = controllers.map((controller) => {
    const health = controller.healthStats;
    if (!health) return `PCI:${controller.pciAddr} Model:${controller.model}\n  No health statistics\n`;
    return (
      `PCI:${controller.pciAddr} Model:${controller.model}\n  Health Stats:\n    Temperature:${health.temperature}K\n` +
      `    Media Errors:${health.mediaErrs}\n    Read Errors:${health.bioReadErrs}\n    Write Errors:${health.bioWriteErrs}\n` +
      `    Checksum Errors:${health.checksumErrs}\n`
    );
  });
  return indentText(lines.join(''));
}

export function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
