import { readFileSync } from 'node:fs';

import { ResponseStatus } from '@daos/proto/ctl/common';
import { NvmeController, NvmeDevState, SmdDevice } from '@daos/proto/ctl/smd';
import { StorageScanResp, SysMemInfo, type StorageScanReq } from '@daos/proto/ctl/storage';
import { ScmNamespace } from '@daos/proto/ctl/storage_scm';

import type { ServerContext } from '../context.js';
import type { EngineInstance } from '../harness/instance.js';
import { localUsage } from '../system/capacity.js';
import { RANK_NONE } from '../system/member.js';

/** Storage of this host: the folders that stand for memory and block devices, with sizes and, when asked for, usage. */
export async function storageScan(context: ServerContext, request: StorageScanReq): Promise<StorageScanResp> {
  const namespaces: ScmNamespace[] = [];
  const ctrlrs: NvmeController[] = [];
  for (const instance of context.harness.instances) {
    const isFormatted = instance.storage.formatNeed() === 'none';
    if (request.scm && isFormatted) namespaces.push(await scmNamespace(context, instance, request.scm.usage));
    if (request.nvme && instance.config.data) {
      ctrlrs.push(await controller(context, instance, request.nvme.Meta && isFormatted, isFormatted));
    }
  }
  const state = { status: ResponseStatus.CTL_SUCCESS, error: '', info: '' };
  return StorageScanResp.fromPartial({
    scm: request.scm && { modules: [], namespaces, state },
    nvme: request.nvme && { ctrlrs, state },
    sysMemInfo: memoryInfo(),
  });
}

async function scmNamespace(
  context: ServerContext,
  instance: EngineInstance,
  withUsage: boolean,
): Promise<ScmNamespace> {
  const usage = await localUsage(instance, context.ms.localDb?.state.pools ?? []);
  const { mount } = instance.storage;
  return ScmNamespace.fromPartial({
    blockdev: mount,
    size: usage.scm.totalBytes,
    mount: {
      path: mount,
      class: instance.config.scm.storageClass,
      rank: instance.rank ?? RANK_NONE,
      ...(withUsage
        ? {
          totalBytes: usage.scm.totalBytes,
          availBytes: usage.scm.availableBytes,
          usableBytes: usage.scm.availableBytes,
        }
        : {}),
    },
  });
}

async function controller(
  context: ServerContext,
  instance: EngineInstance,
  withUsage: boolean,
  isFormatted: boolean,
): Promise<NvmeController> {
  const { data } = instance.config;
  const folder = instance.storage.dataFolder ?? '';
  const size = data?.sizeBytes ?? 0n;
  const usage = withUsage
    ? (await localUsage(instance, context.ms.localDb?.state.pools ?? [])).data
    : undefined;
  const device = usage && SmdDevice.fromPartial({
    uuid: instance.uuid ?? '',
    tgtIds: Array.from({ length: instance.config.targets }, (_, target) => target),
    rank: instance.rank ?? RANK_NONE,
    totalBytes: usage.totalBytes,
    availBytes: usage.availableBytes,
    usableBytes: usage.availableBytes,
    ctrlrNamespaceId: 1,
  });
  return NvmeController.fromPartial({
    model: 'file',
    pciAddr: folder,
    devState: isFormatted ? NvmeDevState.NORMAL : NvmeDevState.NEW,
    namespaces: [{ id: 1, size, ctrlrPciAddr: folder }],
    smdDevices: device ? [device] : [],
  });
}

/** Memory and huge pages of this host, from the kernel. */
function memoryInfo(): SysMemInfo {
  const values = new Map<string, bigint>();
  for (const line of readFileSync('/proc/meminfo', 'utf8').split('\n')) {
    const match = /^(\w+):\s+(\d+)/.exec(line);
    if (match?.[1] && match[2]) values.set(match[1], BigInt(match[2]));
  }
  const value = (name: string) => values.get(name) ?? 0n;
  return SysMemInfo.fromPartial({
    hugepagesTotal: value('HugePages_Total'),
    hugepagesFree: value('HugePages_Free'),
    hugepagesReserved: value('HugePages_Rsvd'),
    hugepagesSurplus: value('HugePages_Surp'),
    hugepageSizeKb: Number(value('Hugepagesize')),
    memTotalKb: value('MemTotal'),
    memFreeKb: value('MemFree'),
    memAvailableKb: value('MemAvailable'),
  });
}
