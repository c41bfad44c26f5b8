import * as z from 'zod';

import type { ControlConfig } from './control_config.js';

const SYSTEM_NAME_LENGTH_MAX = 15;

/** Schema of `transport_config`; what is absent comes from `defaults`. */
export function transportSchema<T extends { allow_insecure: boolean; ca_cert: string; cert: string; key: string }>(defaults: T) {
  return z.strictObject({
    allow_insecure: z.boolean().default(defaults.allow_insecure),
    ca_cert: z.string().default(defaults.ca_cert),
    cert: z.string().default(defaults.cert),
    key: z.string().default(defaults.key),
  });
}

/** Schema of `daos_control.yml`. */
export function controlConfigSchema(defaults: ControlConfig) {
  const transport = transportSchema(defaults.transport_config);
  return z.strictObject({
    name: z.string().min(1).max(SYSTEM_NAME_LENGTH_MAX).default(defaults.name),
    port: z.int().default(defaults.port),
    hostlist: z.array(z.string()).default([...defaults.hostlist]),
    transport_config: transport.prefault({}),
  });
}
