import { Fault } from '@daos/control';

const RESTART = 'and restart the control server';

function configFault(code: number, description: string, resolution: string): Fault {
  return new Fault({ domain: 'serverconfig', code, description, resolution });
}

export const faultInsufficient = (what: string) =>
  configFault(
    701,
    `insufficient information in configuration: ${what}`,
    'correct the configuration file, use examples for reference',
  );

export const faultBadControlPort = () =>
  configFault(
    703,
    'invalid control port in configuration',
    `specify a positive non-zero network port in configuration ('port' parameter) ${RESTART}`,
  );

export const faultBadTelemetryPort = () =>
  configFault(
    704,
    'invalid telemetry port in configuration',
    `specify a positive non-zero network port in configuration ('telemetry_port' parameter) ${RESTART}`,
  );

export const faultBadReplicas = (why: string) =>
  configFault(
    705,
    `invalid list of MS replicas in configuration: ${why}`,
    `'mgmt_svc_replicas' must contain resolvable addresses, each once; fix the configuration ${RESTART}`,
  );

export const faultEvenReplicas = () =>
  configFault(
    706,
    'non-odd number of MS replicas in configuration',
    `'mgmt_svc_replicas' must contain an odd number (e.g. 1, 3, 5, etc.) of addresses; fix the configuration ${RESTART}`,
  );

export const faultNoProvider = () =>
  configFault(
    707,
    'provider not specified in server configuration',
    `specify a valid network provider in configuration ('provider' parameter) ${RESTART}`,
  );

export const faultDuplicateFabric = (index: number, seen: number) =>
  configFault(
    709,
    `the fabric configuration in I/O Engine ${index} is a duplicate of I/O Engine ${seen}`,
    'ensure that each I/O Engine has a unique combination of provider,fabric_iface,fabric_iface_port and restart',
  );

export const faultDuplicateLogFile = (index: number, seen: number) =>
  configFault(
    710,
    `the log_file value in I/O Engine ${index} is a duplicate of I/O Engine ${seen}`,
    'ensure that each I/O Engine has a unique log_file value and restart',
  );

export const faultDuplicateMount = (index: number, seen: number) =>
  configFault(
    711,
    `the scm_mount value in I/O Engine ${index} is a duplicate of I/O Engine ${seen}`,
    'ensure that each I/O Engine has a unique scm_mount value and restart',
  );

export const faultDuplicateScmList = (index: number, seen: number) =>
  configFault(
    712,
    `the scm_list value in I/O Engine ${index} is a duplicate of I/O Engine ${seen}`,
    'ensure that each I/O Engine has a unique scm_list value and restart',
  );

export const faultOverlappingDevices = (index: number, seen: number) =>
  configFault(
    713,
    `the bdev_list value in engine ${index} overlaps with entries in engine ${seen}`,
    'ensure that each I/O Engine has a unique set of bdev_list entries and restart',
  );

export const faultTargetCounts = (index: number, count: number, seenCount: number) =>
  configFault(
    715,
    `the target count is not equal across engines, engine ${index} has ${count} but engine 0 has ${seenCount}`,
    'ensure that each I/O Engine has an equal integer value for targets parameter and restart',
  );

export const faultHelperCounts = (index: number, count: number, seenCount: number) =>
  configFault(
    716,
    `the helper stream count is not equal across engines, engine ${index} has ${count} but engine 0 has ${seenCount}`,
    'ensure that each I/O Engine has an equal integer value for nr_xs_helpers parameter and restart',
  );

export const faultBadFaultDomain = (why: string) =>
  configFault(
    717,
    `invalid fault domain: ${why}`,
    `specify a valid fault domain ('fault_path' parameter) or callback script ('fault_cb' parameter) ${RESTART}`,
  );

export const faultBothFaultDomains = () =>
  configFault(
    722,
    'both fault domain and fault path are defined in the configuration',
    `remove either the fault domain ('fault_path' parameter) or callback script ('fault_cb' parameter) ${RESTART}`,
  );

export const faultTooManyLayers = () =>
  configFault(
    724,
    'the fault domain path may have a maximum of 2 levels below the root',
    `update either the fault domain ('fault_path' parameter) or callback script ('fault_cb' parameter) ${RESTART}`,
  );

export const faultHugepagesRange = (count: number) =>
  configFault(
    725,
    `number of hugepages specified (${count}) is out of range (0 - 2147483647)`,
    `specify a nr_hugepages value between 0 and 2147483647`,
  );

export const faultMetadataNoPath = () =>
  configFault(
    729,
    'using a control_metadata device requires a path to use as the mount point',
    "add a valid 'path' to the 'control_metadata' section of the config",
  );

export const faultScmClassDiffers = (index: number) =>
  configFault(
    732,
    `the SCM class in engine ${index} is different from engine 0`,
    'ensure that each I/O Engine has a single SCM tier with the same class and restart',
  );

export const faultReserveZero = () =>
  configFault(
    734,
    '`system_ram_reserved` is set to zero in server config',
    'set `system_ram_reserved` to a positive integer value in config',
  );

export const faultHotplugBoth = () =>
  configFault(
    735,
    'both enable_hotplug and disable_hotplug are set in server config',
    'remove enable_hotplug from the config',
  );

export const faultHugepagesDisabledCount = () =>
  configFault(
    737,
    'hugepages cannot be disabled if non-zero number has been specified in config',
    `either set false (or remove) disable_hugepages parameter or remove nr_hugepages assignment in config ${RESTART}`,
  );

export const faultBadControlIface = (name: string, why: string) =>
  configFault(
    739,
    `control_iface "${name}" is invalid: ${why}`,
    "update the 'control_iface' parameter with a valid network interface and restart",
  );

export const faultIfaceReplicaMismatch = (address: string, replica: string) =>
  configFault(
    740,
    `control_iface address ${address} doesn't match configured MS replica address ${replica}`,
    "ensure 'control_iface' specifies an interface with an address matching this server's entry in 'mgmt_svc_replicas'",
  );

/** Faults of a tier list, domain `storage`. */
function storageFault(code: number, description: string, resolution: string): Fault {
  return new Fault({ domain: 'storage', code, description, resolution });
}

export const faultNoScmTier = () =>
  storageFault(
    216,
    'missing scm storage tier in engine storage config',
    'add a scm tier in the first position of the engine storage tiers list in server config file and restart daos_server',
  );

export const faultMixedDevices = () =>
  storageFault(
    309,
    'real and emulated block devices are mixed in one engine',
    'use tiers of one class and restart daos_server',
  );

export const faultRolesWithoutPath = () =>
  storageFault(
    318,
    "'control_metadata.path' is required when MD-on-SSD roles are specified",
    "set 'control_metadata.path' in the server config file then restart daos_server",
  );

export const faultPathWithoutRoles = () =>
  storageFault(
    317,
    "'control_metadata.path' is set but no device roles are specified",
    "add 'bdev_roles' or remove 'control_metadata' in the server config file then restart daos_server",
  );

export const faultMultiTierNoRoles = () =>
  storageFault(
    315,
    'more than one block device tier without roles',
    'use one block device tier and restart daos_server',
  );

export const faultRamdiskTooSmall = (gib: number) =>
  storageFault(
    730,
    `configured ram-disk size ${gib} GiB is lower than the minimum (4.0 GiB) required for SCM`,
    "remove the 'scm_size' parameter so it can be automatically set or manually set to a value above 4.0 GiB in the config file",
  );
