import { LedState, NvmeDevState, type NvmeController } from '@daos/proto/ctl/smd';
import type { StorageScanResp, SysMemInfo } from '@daos/proto/ctl/storage';
import type { ScmModule, ScmNamespace } from '@daos/proto/ctl/storage_scm';

/** JSON of one host's storage, keys in DAOS's order. */
export interface HostStorage {
  readonly nvme_devices: readonly unknown[] | null;
  readonly scm_modules: readonly unknown[] | null;
  readonly scm_namespaces: readonly unknown[] | null;
  readonly scm_mount_points: readonly unknown[] | null;
  readonly smd_info: unknown;
  readonly reboot_required: boolean;
  readonly mem_info: unknown;
}

export function scannedStorage(response: StorageScanResp): HostStorage {
  return {
    nvme_devices: listOrNull(response.nvme?.ctrlrs ?? [], controllerJson),
    scm_modules: listOrNull(response.scm?.modules ?? [], moduleJson),
    scm_namespaces: listOrNull(response.scm?.namespaces ?? [], namespaceJson),
    scm_mount_points: null,
    smd_info: null,
    reboot_required: false,
    mem_info: response.sysMemInfo ? memoryJson(response.sysMemInfo) : null,
  };
}

function listOrNull<T>(items: readonly T[], toJson: (item: T) => unknown): unknown[] | null {
  return items.length === 0 ? null : items.map(toJson);
}

function controllerJson(controller: NvmeController): Record<string, unknown> {
  return {
    info: '',
    model: controller.model,
    serial: controller.serial,
    pci_addr: controller.pciAddr,
    fw_rev: controller.fwRev,
    vendor_id: controller.vendorId,
    pci_type: controller.pciDevType,
    socket_id: controller.socketId,
    health_stats: null,
    namespaces: listOrNull(controller.namespaces, (namespace) => ({ id: namespace.id, size: namespace.size, ctrlr_pci_addr: namespace.ctrlrPciAddr })),
    smd_devices: listOrNull(controller.smdDevices, (device) => ({
      role_bits: device.roleBits,
      uuid: device.uuid,
      tgt_ids: device.tgtIds,
      rank: device.rank,
      total_bytes: device.totalBytes,
      avail_bytes: device.availBytes,
      usable_bytes: device.usableBytes,
      cluster_size: device.clusterSize,
    })),
    dev_state: NvmeDevState[controller.devState] ?? 'UNKNOWN',
    led_state: LedState[controller.ledState] ?? 'NA',
  };
}

function moduleJson(module: ScmModule): Record<string, unknown> {
  return {
    channel_id: module.channelid,
    channel_position: module.channelposition,
    controller_id: module.controllerid,
    socket_id: module.socketid,
    physical_id: module.physicalid,
    capacity: module.capacity,
    uid: module.uid,
    part_number: module.partNumber,
    firmware_revision: module.firmwareRevision,
    health_state: module.healthState,
  };
}

function namespaceJson(namespace: ScmNamespace): Record<string, unknown> {
  const { mount } = namespace;
  return {
    uuid: namespace.uuid,
    blockdev: namespace.blockdev,
    dev: namespace.dev,
    numa_node: namespace.numaNode,
    size: namespace.size,
    mount: mount
      ? {
          class: mount.class,
          device_list: mount.deviceList.length === 0 ? null : mount.deviceList,
          info: '',
          path: mount.path,
          rank: mount.rank,
          total_bytes: mount.totalBytes,
          avail_bytes: mount.availBytes,
          usable_bytes: mount.usableBytes,
        }
      : null,
  };
}

function memoryJson(memory: SysMemInfo): Record<string, unknown> {
  return {
    numa_node_index: 0,
    hugepages_total: memory.hugepagesTotal,
    hugepages_free: memory.hugepagesFree,
    hugepages_reserved: memory.hugepagesReserved,
    hugepages_surplus: memory.hugepagesSurplus,
    hugepage_size_kb: memory.hugepageSizeKb,
    mem_total_kb: memory.memTotalKb,
    mem_free_kb: memory.memFreeKb,
    mem_available_kb: memory.memAvailableKb,
    mem_used_kb: 0,
    numa_nodes: listOrNull(memory.numaNodes, (node) => ({
      numa_node_index: node.numaNodeIndex,
      hugepages_total: node.hugepagesTotal,
      hugepages_free: node.hugepagesFree,
      hugepages_reserved: 0,
      hugepages_surplus: node.hugepagesSurplus,
      hugepage_size_kb: 0,
      mem_total_kb: node.memTotalKb,
      mem_free_kb: node.memFreeKb,
      mem_available_kb: 0,
      mem_used_kb: node.memUsedKb,
    })),
  };
}
