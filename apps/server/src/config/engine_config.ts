import { resolve } from 'node:path';

import {
  faultInsufficient,
  faultMixedDevices,
  faultMultiTierNoRoles,
  faultNoScmTier,
  faultRamdiskTooSmall,
} from './config_faults.js';
import { checkLogMask } from './log_mask.js';
import type { EngineSection, ServerFile, StorageTier } from './schema.js';

const GIB = 1024 ** 3;
const RAMDISK_GIB_MIN = 4;
/** Tags 0 and 1 of an engine come before its targets' ports. */
export const SYSTEM_TAGS = 2;

/** Tier 0: metadata and small values. */
export interface ScmTier {
  /** `file`: a folder of an existing file system; `ram`: a tmpfs that is mounted at format. */
  readonly storageClass: 'file' | 'ram' | 'dcpm';
  readonly mount: string;
  /** Configured size; 0 = what the file system has. */
  readonly sizeBytes: bigint;
}

/** Tier 1: bulk data. */
export interface DataTier {
  readonly storageClass: 'file' | 'kdev' | 'nvme';
  /** One folder of data files (class `file`), or devices. */
  readonly devices: readonly string[];
  /** Of all devices together. */
  readonly sizeBytes: bigint;
}

/** One engine as it will be started: inherited values filled in, storage understood. */
export interface EngineConfig {
  readonly index: number;
  readonly targets: number;
  readonly helpers: number;
  readonly firstCore: number;
  readonly pinnedNumaNode: number | undefined;
  readonly provider: string;
  readonly fabricInterface: string;
  readonly fabricPort: number;
  readonly crtTimeoutSeconds: number | undefined;
  readonly disableSrx: boolean;
  readonly bypassHealthCheck: boolean;
  readonly logFile: string;
  readonly logMask: string;
  readonly modules: string;
  readonly env: readonly string[];
  readonly envPassThrough: readonly string[];
  readonly scm: ScmTier;
  readonly data: DataTier | undefined;
  /** When the device of the data tier is faulty; undefined: the engine decides. */
  readonly autoFaulty: EngineSection['bdev_auto_faulty'];
}

/** Completes and checks one engine section. Throws a fault whose text names the engine and the key. */
export function completeEngine(file: ServerFile, section: EngineSection, index: number): EngineConfig {
  const bad = (text: string) => faultInsufficient(`I/O Engine ${index}: ${text}`);
  const provider = section.provider ?? file.provider ?? '';
  const fabricInterface = section.fabric_iface ?? file.fabric_iface ?? '';
  const fabricPort = section.fabric_iface_port ?? file.fabric_iface_port;
  if (fabricInterface === '') throw bad('fabric_iface not set');
  if (fabricPort === undefined) throw bad('fabric_iface_port not set');
  if (fabricPort < 0) throw bad('fabric_iface_port cannot be negative');
  if (section.targets < 0) throw bad('target count must not be negative');
  if (section.targets === 0) throw bad('target count must be nonzero');
  if (fabricPort + SYSTEM_TAGS + section.targets > 65_536) {
    throw bad(`fabric_iface_port ${fabricPort} leaves no ports for ${section.targets} targets`);
  }
  if (section.nr_xs_helpers < 0) throw bad('helper stream count must not be negative');
  if (section.first_core < 0) throw bad('first_core must not be negative');
  checkLogMask(section.log_mask, bad);
  const tiers = completeTiers(section.storage, bad);
  return {
    index,
    targets: section.targets,
    helpers: section.nr_xs_helpers,
    firstCore: section.first_core,
    pinnedNumaNode: section.pinned_numa_node,
    provider,
    fabricInterface,
    fabricPort,
    crtTimeoutSeconds: section.crt_timeout ?? file.crt_timeout,
    disableSrx: section.disable_srx ?? file.disable_srx ?? false,
    bypassHealthCheck: section.bypass_health_chk ?? file.bypass_health_chk ?? false,
    logFile: section.log_file,
    logMask: section.log_mask,
    modules: section.modules,
    autoFaulty: section.bdev_auto_faulty,
    env: section.env_vars,
    envPassThrough: section.env_pass_through,
    ...tiers,
  };
}

type Complain = (text: string) => Error;

function completeTiers(
  tiers: readonly StorageTier[],
  bad: Complain,
): { scm: ScmTier; data: DataTier | undefined } {
  const [first, ...rest] = tiers;
  if (!first) throw bad('no storage tiers configured');
  for (const [index, tier] of tiers.entries()) {
    if (!tier.class) {
      throw index === 0 ? faultNoScmTier() : bad(`tier ${index}: no class set`);
    }
  }
  if (first.class === 'nvme' || first.class === 'kdev') throw faultNoScmTier();
  if (first.class === 'file' && first.scm_mount === undefined && first.bdev_list) throw faultNoScmTier();
  const scm = completeScm(first, (text) => bad(`tier 0 failed validation: ${text}`));
  const blocks = rest.filter((tier) => !(tier.class === 'nvme' && tier.bdev_list?.length === 0));
  if (blocks.some((tier) => tier.class === 'ram' || tier.class === 'dcpm')) {
    throw bad('first storage tier is not the only scm tier');
  }
  if (blocks.some((tier) => tier.class === 'nvme') && blocks.some((tier) => tier.class !== 'nvme')) {
    throw faultMixedDevices();
  }
  if (blocks.length > 1) throw faultMultiTierNoRoles();
  const [block] = blocks;
  return { scm, data: block && completeData(block, (text) => bad(`tier 1 failed validation: ${text}`)) };
}

function completeScm(tier: StorageTier, bad: Complain): ScmTier {
  const storageClass = tier.class as ScmTier['storageClass'];
  if (!tier.scm_mount) throw bad('no scm_mount set');
  if (tier.bdev_list || tier.bdev_size !== undefined) {
    throw bad('bdev_list and bdev_size belong to a block device tier');
  }
  const sizeGib = tier.scm_size ?? 0;
  if (storageClass === 'dcpm') {
    if (sizeGib > 0) throw bad('scm_size may not be set when class is dcpm');
    if (!tier.scm_list?.length) throw bad('scm_list must be set when class is dcpm');
    if (tier.scm_list.length > 1) throw bad('scm_list may have at most 1 devices');
  } else if (tier.scm_list) throw bad(`scm_list may not be set when class is ${storageClass}`);
  if (storageClass === 'ram' && sizeGib > 0 && sizeGib < RAMDISK_GIB_MIN) throw faultRamdiskTooSmall(sizeGib);
  return { storageClass, mount: resolve(tier.scm_mount), sizeBytes: gibToBytes(sizeGib) };
}

function completeData(tier: StorageTier, bad: Complain): DataTier {
  const storageClass = tier.class as DataTier['storageClass'];
  const devices = tier.bdev_list ?? [];
  if (tier.scm_mount !== undefined || tier.scm_size !== undefined) {
    throw bad('scm_mount and scm_size belong to tier 0');
  }
  if (devices.length === 0) throw bad(`class ${storageClass} requires non-empty bdev_list`);
  if (new Set(devices).size !== devices.length) throw bad('bdev_list names a device twice');
  if (tier.bdev_roles?.length) {
    throw bad('bdev_roles (metadata on block devices) are not supported yet; remove them');
  }
  if (storageClass !== 'file') return { storageClass, devices, sizeBytes: 0n };
  if (!tier.bdev_size) throw bad('class file requires non-zero bdev_size');
  if (devices.length > 1) throw bad('class file takes one entry in bdev_list: the folder of the data files');
  return {
    storageClass,
    devices: devices.map((path) => resolve(path)),
    sizeBytes: gibToBytes(tier.bdev_size),
  };
}

function gibToBytes(gib: number): bigint {
  return BigInt(Math.floor(gib * GIB));
}
