import { z } from 'zod';

/** The shape of `daos_server.yml`. Strict: an unknown key anywhere is an error that names file, line and key. */

const port = z.int();
const whole = z.int();
const keyValue = z.string().regex(/=/, 'expected KEY=VALUE');

const transportConfig = z.strictObject({
  allow_insecure: z.boolean().default(false),
  client_cert_dir: z.string().default('/etc/daos/certs/clients'),
  ca_cert: z.string().default('/etc/daos/certs/daosCA.crt'),
  cert: z.string().default('/etc/daos/certs/server.crt'),
  key: z.string().default('/etc/daos/certs/server.key'),
});

export const STORAGE_CLASSES = ['ram', 'dcpm', 'nvme', 'file', 'kdev'] as const;
const storageTier = z.strictObject({
  class: z.enum(STORAGE_CLASSES, { error: (issue) => `unsupported storage class "${String(issue.input)}"` })
    .optional(),
  scm_mount: z.string().optional(),
  /** GiB. A fraction is accepted for class `file`. */
  scm_size: z.number().nonnegative().optional(),
  scm_list: z.array(z.string()).optional(),
  scm_hugepages_disabled: z.boolean().optional(),
  bdev_list: z.array(z.string()).optional(),
  /** GiB per entry of `bdev_list`. */
  bdev_size: z.number().nonnegative().optional(),
  bdev_busid_range: z.string().optional(),
  bdev_roles: z.array(z.enum(['data', 'meta', 'wal'])).optional(),
});

const engineFabric = {
  provider: z.string().optional(),
  fabric_iface: z.string().optional(),
  fabric_iface_port: port.optional(),
  crt_timeout: whole.optional(),
  disable_srx: z.boolean().optional(),
  fabric_auth_key: z.string().optional(),
  secondary_provider_endpoints: z.array(whole).optional(),
  bypass_health_chk: z.boolean().optional(),
};

const engine = z.strictObject({
  ...engineFabric,
  targets: whole.default(0),
  nr_xs_helpers: whole.default(0),
  first_core: whole.default(0),
  pinned_numa_node: whole.optional(),
  log_file: z.string().default(''),
  log_mask: z.string().default(''),
  modules: z.string().default(''),
  env_vars: z.array(keyValue).default([]),
  env_pass_through: z.array(z.string()).default([]),
  storage: z.array(storageTier).default([]),
  acceleration: z.strictObject({ engine: z.string().optional(), options: z.array(z.string()).optional() })
    .optional(),
  spdk_rpc_server: z.strictObject({ enable: z.boolean().optional(), sock_addr: z.string().optional() })
    .optional(),
  bdev_auto_faulty: z
    .strictObject({
      enable: z.boolean().optional(),
      max_io_errs: whole.optional(),
      max_csum_errs: whole.optional(),
    })
    .optional(),
  spdk_iobuf: z.strictObject({ small_pool_count: whole.optional(), large_pool_count: whole.optional() })
    .optional(),
});

const LOG_MASKS = ['DISABLED', 'ERROR', 'NOTICE', 'INFO', 'DEBUG', 'TRACE'] as const;

export const serverSchema = z.strictObject({
  ...engineFabric,
  name: z
    .string()
    .min(1, 'invalid system name: ""')
    .max(15, 'a system name has at most 15 characters')
    .default('daos_server'),
  mgmt_svc_replicas: z.array(z.string()).optional(),
  access_points: z.array(z.string()).optional(),
  port: port.default(10001),
  control_iface: z.string().default(''),
  transport_config: transportConfig.prefault({}),
  engines: z.array(engine).default([]),
  fault_path: z.string().default(''),
  fault_cb: z.string().default(''),
  socket_dir: z.string().default('/var/run/daos_server'),
  control_log_mask: z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(
      z.enum(LOG_MASKS, {
        error: (issue) =>
          `"${String(issue.input)}" is not a valid log level; use one of ${LOG_MASKS.join(', ')}`,
      }),
    )
    .default('INFO'),
  control_log_file: z.string().default(''),
  control_log_json: z.boolean().default(false),
  helper_log_file: z.string().default(''),
  firmware_helper_log_file: z.string().optional(),
  telemetry_port: port.default(0),
  client_env_vars: z.array(keyValue).default([]),
  core_dump_filter: whole.min(0).max(255).default(0x13),
  control_metadata: z
    .strictObject({
      path: z.string().optional(),
      device: z.string().optional(),
      allow_spdk_conf_override: z.boolean().optional(),
    })
    .optional(),
  disable_engine_auto_restart: z.boolean().default(false),
  engine_auto_restart_min_delay: whole.min(0).default(0),
  support_config: z.strictObject({ file_transfer_exec: z.string().optional() }).optional(),
  system_ram_reserved: whole.default(64),
  nr_hugepages: whole.default(0),
  disable_hugepages: z.boolean().default(false),
  allow_numa_imbalance: z.boolean().default(false),
  allow_thp: z.boolean().default(false),
  disable_vfio: z.boolean().default(false),
  disable_vmd: z.boolean().optional(),
  disable_hotplug: z.boolean().optional(),
  enable_hotplug: z.boolean().optional(),
  bdev_exclude: z.array(z.string()).default([]),
  hyperthreads: z.boolean().default(false),
  kernel_config_path: z.string().default(''),
});

export type ServerFile = z.infer<typeof serverSchema>;
export type EngineSection = z.infer<typeof engine>;
export type StorageTier = z.infer<typeof storageTier>;
export type ControlLogMask = (typeof LOG_MASKS)[number];
export type TransportSection = z.infer<typeof transportConfig>;
