import { Fault } from '@daos/control';

/** Faults of domain `server`: what the control plane of one host can complain about. */
function serverFault(code: number, description: string, resolution: string): Fault {
  return new Fault({ domain: 'server', code, description, resolution });
}

export const FAULT_WRONG_SYSTEM = 603;
export const FAULT_HARNESS_NOT_STARTED = 610;
export const FAULT_DATA_PLANE_NOT_STARTED = 611;
export const FAULT_INSTANCES_NOT_STOPPED = 612;
export const FAULT_INCOMPATIBLE = 616;
export const FAULT_INCOMPATIBLE_INSECURE = 617;
export const FAULT_POOL_LOCKED = 402;

export const faultWrongSystem = (sent: string, own: string) =>
  serverFault(
    FAULT_WRONG_SYSTEM,
    `request system does not match running system (${sent} != ${own})`,
    'retry the request against the correct system or check the system name in the client configuration',
  );

export const faultScmTooSmall = (bytes: bigint, minimum: bigint, targets: number) =>
  serverFault(
    604,
    `requested SCM capacity (${bytes} bytes) is too small for ${targets} targets (minimum ${minimum} bytes per rank)`,
    `retry the request with a pool SCM size of at least ${minimum} bytes per rank`,
  );

export const faultNvmeTooSmall = (bytes: bigint, minimum: bigint, targets: number) =>
  serverFault(
    605,
    `requested NVMe capacity (${bytes} bytes) is too small for ${targets} targets (minimum ${minimum} bytes per rank)`,
    `retry the request with a pool NVMe size of at least ${minimum} bytes per rank, or with none`,
  );

export const faultInvalidRanks = (ranks: string) =>
  serverFault(
    606,
    `pool request contains invalid rank${/[-,]/.test(ranks) ? 's' : ''}: ${ranks}`,
    'retry the request with a valid set of ranks',
  );

export const faultNoRanks = () =>
  serverFault(
    606,
    'no rank of the system is available for a pool',
    'start the engines with `dmg system start`, and see `dmg system query` for their states',
  );

export const faultInvalidRankCount = (wanted: number, available: number) =>
  serverFault(
    607,
    `pool request contains invalid number of ranks (requested: ${wanted}, available: ${available})`,
    'retry the request with a valid number of ranks',
  );

export const faultInvalidReplicaCount = (max: number) =>
  serverFault(
    608,
    `pool service replicas number should be an odd number between 1 and ${max}`,
    'retry the request with a valid number of pool service replicas',
  );

export const faultDuplicateLabel = (label: string) =>
  serverFault(
    609,
    `pool label "${label}" already exists in the system`,
    'retry the request with a unique pool label',
  );

export const faultHarnessNotStarted = () =>
  serverFault(
    FAULT_HARNESS_NOT_STARTED,
    'daos_server harness not started',
    'retry the operation or check server logs for more details',
  );

export const faultDataPlaneNotStarted = () =>
  serverFault(
    FAULT_DATA_PLANE_NOT_STARTED,
    'DAOS I/O Engine instance not started or not responding on dRPC',
    'retry the operation or check server logs for more details',
  );

export const faultNoEngineRuns = (states: string) =>
  serverFault(
    600,
    `no engine of this server runs: ${states}`,
    'start the engines with `dmg system start`, or format their storage with `dmg storage format`',
  );

export const faultInstancesNotStopped = (action: string, ranks: string) =>
  serverFault(
    FAULT_INSTANCES_NOT_STOPPED,
    `${action} not supported when DAOS ranks are running: ${ranks}`,
    `retry ${action} operation after stopping DAOS ranks`,
  );

export const faultNoPoolLabel = () =>
  serverFault(615, 'cannot create a pool without a pool label', 'retry the operation with a label set');

export const faultIncompatible = (self: string, other: string) =>
  serverFault(
    FAULT_INCOMPATIBLE,
    `components are not compatible: ${self} and ${other}`,
    'install software versions that can work together on both sides',
  );

export const faultIncompatibleInsecure = (self: string, other: string) =>
  serverFault(
    FAULT_INCOMPATIBLE_INSECURE,
    `components ${self} and ${other} differ in version and run in insecure mode`,
    'enable certificates or install the same version of the software on both sides',
  );

export const faultPoolHasContainers = () =>
  serverFault(
    618,
    'cannot destroy a pool with existing containers',
    'retry the operation with the recursive flag set to remove containers along with the pool',
  );

export const faultMemRatioWithoutRoles = () =>
  serverFault(
    619,
    'pool create request contains MD-on-SSD parameters but MD-on-SSD has not been enabled',
    'either remove MD-on-SSD-specific options from the command request or set bdev_roles in server config file to ' +
      'enable MD-on-SSD',
  );

export const faultTooFewDomains = (domains: number, redundancy: number) =>
  serverFault(
    621,
    `pool redundancy factor ${redundancy} requires at least ${
      redundancy + 1
    } fault domains but only ${domains} are available`,
    'retry the request with a lower redundancy factor or add more fault domains',
  );

export const faultAdminExcluded = (ranks: string) =>
  serverFault(
    623,
    `ranks ${ranks} are administratively excluded`,
    'clear the exclusion with `dmg system clear-exclude`, or use --ignore-admin-excluded',
  );

/** Faults of domain `system`. */
export const faultPoolLocked = (uuid: string, lockId: string, since: string) =>
  new Fault({
    domain: 'system',
    code: FAULT_POOL_LOCKED,
    description: `pool ${uuid} is locked (id: ${lockId}, time: ${since})`,
    resolution: 'retry the operation',
  });

export const faultMemberExists = (rank: number, uuid: string) =>
  new Fault({
    domain: 'system',
    code: 404,
    description: `joining host matches rank ${rank}, which has another UUID (${uuid})`,
    resolution:
      'use the --replace option of `dmg storage format` when the rank lost its storage, otherwise check the host',
  });

export const faultDomainDepth = (depth: number, expected: number) =>
  new Fault({
    domain: 'system',
    code: 401,
    description: `fault domain has ${depth} levels, all others have ${expected}`,
    resolution:
      "use the same number of levels in every server's fault domain ('fault_path' or 'fault_cb' parameter)",
  });

/** Storage and start-up. */
export const faultStorageAlreadyFormatted = (mount: string) =>
  new Fault({
    domain: 'storage',
    code: 101,
    description: `storage at ${mount} is already formatted`,
    resolution: 'retry with --force to format it again: all data is lost',
  });

export const faultSocketInUse = (path: string) =>
  new Fault({
    domain: 'drpc',
    code: 6,
    description: `dRPC socket ${path} is already in use`,
    resolution: 'stop the process that uses it, or configure another socket_dir',
  });

export const faultNoHardware = (storageClass: string) =>
  new Fault({
    domain: 'storage',
    code: 100,
    description:
      `storage class "${storageClass}" needs hardware or privileges that this server does not drive`,
    resolution: 'use class "file" for both tiers (and "ram" for tier 0 when running as root)',
  });
