import type { HostErrors} from '@daos/control';
import { HostList, formatBanner, formatTable, indentText, storageFormat, type HostResults } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';
import { ResponseStatus, type ResponseState } from '@daos/proto/ctl/common';
import type { StorageFormatResp } from '@daos/proto/ctl/storage';

import { hostsOption, unwrapSetup, withControl } from '../session.js';
import { failOnHostErrors, groupHosts, hostsText, type HostGroup } from './host_groups.js';

/** Address of an entry that stands for "nothing to format". */
const NIL_PCI_ADDRESS = /^[0:.]*$/;

/** `dmg storage format`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const { force, replace, verbose } = context.options;
  const hosts = hostsOption(context);
  if (force === true && replace === true) throw new Error('command does not support --force and --replace options together');
  if (replace === true && (hosts === undefined || HostList.parse(hosts.join(',')).count !== 1)) {
    throw new Error('command expects a single host in hostlist if replace option used');
  }
  const results = await withControl(context, (client) =>
    storageFormat(client, { hosts, reformat: force === true, replace: replace === true }),
  ).catch(unwrapSetup);
  const { errors, good } = splitResults(results);
  const groups = groupHosts(good, (response) => response);
  if (groups.length > 0) context.io.print(verbose === true ? verboseText(groups) : summaryText(groups));
  const json = { host_errors: errors.toJson(), host_storage_map: hostMap(groups) };
  failOnHostErrors(context, errors, json);
  return { json };
}

/** Failures of devices count as failures of their host. */
function splitResults(results: HostResults<StorageFormatResp>): { errors: HostErrors; good: HostResults<StorageFormatResp> } {
  const errors = results.errors;
  const answers = results.answers.filter(({ host, response }) => {
    const failures = [
      ...response.mrets.map((result) => failureText(result.mntpoint, result.state)),
      ...response.crets.map((result) => failureText(result.pciAddr, result.state)),
    ].filter((text) => text !== undefined);
    for (const text of failures) errors.add(host, new Error(text));
    return failures.length === 0;
  });
  return { errors, good: { answers, errors } };
}

function failureText(device: string, state: ResponseState | undefined): string | undefined {
  if (!state || state.status === ResponseStatus.CTL_SUCCESS) return undefined;
  return `${device}: ${state.error === '' ? 'format failed' : state.error}`;
}

function summaryText(groups: readonly HostGroup<StorageFormatResp>[]): string {
  const rows = groups.map((group) => ({
    Hosts: hostsText(group.hosts),
    'SCM Devices': String(group.value.mrets.length),
    'NVMe Devices': String(devicesOf(group.value).length),
  }));
  return `Format Summary:\n${indentText(formatTable(['Hosts', 'SCM Devices', 'NVMe Devices'], rows))}`;
}

function verboseText(groups: readonly HostGroup<StorageFormatResp>[]): string {
  return groups
    .map((group) => {
      const mounts = group.value.mrets.map((result) => ({ 'SCM Mount': result.mntpoint, 'Format Result': 'CTL_SUCCESS' }));
      const devices = devicesOf(group.value).map((result) => ({ 'NVMe PCI': result.pciAddr, 'Format Result': 'CTL_SUCCESS' }));
      const tables = [
        mounts.length > 0 ? formatTable(['SCM Mount', 'Format Result'], mounts) : '',
        devices.length > 0 ? formatTable(['NVMe PCI', 'Format Result'], devices) : '',
      ];
      return formatBanner(hostsText(group.hosts)) + tables.filter((table) => table !== '').join('\n');
    })
    .join('\n');
}

function devicesOf(response: StorageFormatResp): StorageFormatResp['crets'] {
  return response.crets.filter((result) => !NIL_PCI_ADDRESS.test(result.pciAddr));
}

function hostMap(groups: readonly HostGroup<StorageFormatResp>[]): Record<string, unknown> {
  return Object.fromEntries(
    groups.map((group) => {
      const mounts = group.value.mrets.map((result) => ({ info: 'Success', path: result.mntpoint }));
      const devices = devicesOf(group.value).map((result) => ({ info: 'Success', pci_addr: result.pciAddr }));
      const storage = {
        nvme_devices: devices.length === 0 ? null : devices,
        scm_modules: null,
        scm_namespaces: null,
        scm_mount_points: mounts.length === 0 ? null : mounts,
        smd_info: null,
        reboot_required: false,
        mem_info: null,
      };
      return [group.hash, { storage, hosts: group.hosts.join(',') }];
    }),
  );
}
