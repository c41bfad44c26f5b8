import * as z from 'zod';

import type { AgentConfig } from './config.js';
import { durationMs } from './duration.js';

const SYSTEM_NAME_LENGTH_MAX = 15;
const PORT_MAX = 65_535;
/** User ids that mean "nobody in particular" to the kernel. */
const UID_NONE = 4_294_967_295;
const LOG_MASKS = ['DISABLED', 'ERROR', 'NOTICE', 'INFO', 'DEBUG', 'TRACE'] as const;

/** Schema of `daos_agent.yml`; what is absent comes from `defaults`. */
export function agentConfigSchema(defaults: AgentConfig): z.ZodType<AgentConfig> {
  const { credential_config: credential } = defaults;
  const names = z.array(z.string());
  return z
    .strictObject({
      name: z.string().min(1).max(SYSTEM_NAME_LENGTH_MAX).default(defaults.name),
      access_points: names.min(1).default([...defaults.access_points]),
      port: z.int().min(1).max(PORT_MAX).default(defaults.port),
      runtime_dir: z.string().min(1).default(defaults.runtime_dir),
      log_file: z.string().default(defaults.log_file),
      control_log_mask: z
        .string()
        .transform((text) => text.toUpperCase())
        .pipe(z.enum(LOG_MASKS))
        .default(defaults.control_log_mask),
      transport_config: transportSchema(defaults.transport_config).prefault({}),
      credential_config: z
        .strictObject({
          cache_expiration: durationSchema().default(credential.cache_expiration),
          client_user_map: z.record(userKeySchema(), mappedUserSchema()).default({}),
        })
        .prefault({}),
      disable_caching: z.boolean().default(defaults.disable_caching),
      cache_expiration: z.int().min(0).default(defaults.cache_expiration),
      disable_auto_evict: z.boolean().default(defaults.disable_auto_evict),
      enable_evict_on_start: z.boolean().default(defaults.enable_evict_on_start),
      include_fabric_ifaces: names.default([...defaults.include_fabric_ifaces]),
      exclude_fabric_ifaces: names.default([...defaults.exclude_fabric_ifaces]),
      fabric_ifaces: z.array(fabricSchema()).default([]),
    })
    .refine((config) => config.include_fabric_ifaces.length === 0 || config.exclude_fabric_ifaces.length === 0, {
      path: ['exclude_fabric_ifaces'],
      message: 'cannot be used together with include_fabric_ifaces',
    });
}

function transportSchema(defaults: AgentConfig['transport_config']) {
  return z.strictObject({
    allow_insecure: z.boolean().default(defaults.allow_insecure),
    ca_cert: z.string().default(defaults.ca_cert),
    cert: z.string().default(defaults.cert),
    key: z.string().default(defaults.key),
  });
}

/** `90s`, `5m`, `1h30m`; a bare number counts seconds. */
function durationSchema() {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    const ms = durationMs(String(value));
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: 'is not a duration such as 90s, 5m or 1h30m' });
    return z.NEVER;
  });
}

function userKeySchema() {
  return z.string().refine((key) => key === 'default' || (/^\d+$/.test(key) && Number(key) < UID_NONE), {
    message: 'is neither a user id nor "default"',
  });
}

function mappedUserSchema() {
  return z.strictObject({ user: z.string().min(1), group: z.string().min(1), groups: z.array(z.string()).default([]) });
}

function fabricSchema() {
  const device = z.strictObject({ iface: z.string().min(1), domain: z.string().default('') });
  return z.strictObject({ numa_node: z.int().min(0), devices: z.array(device).min(1) });
}
