import { ControlClient, ControlLog, type ControlConfig } from '@daos/control';
import type { VerbContext } from '@daos/control/cli';

import { loadAgentConfig, type AgentConfig } from './config.js';

/** Configuration of one run: the file, with what the command line overrides. */
export async function loadSession(context: VerbContext): Promise<{ config: AgentConfig; path: string | undefined }> {
  const { config, path } = await loadAgentConfig(textOption(context, 'configPath'));
  const insecure = context.options['insecure'] === true;
  return {
    path,
    config: {
      ...config,
      runtime_dir: textOption(context, 'runtime_dir') ?? config.runtime_dir,
      log_file: textOption(context, 'logfile') ?? config.log_file,
      control_log_mask: context.options['debug'] === true ? 'DEBUG' : config.control_log_mask,
      transport_config: insecure ? { ...config.transport_config, allow_insecure: true } : config.transport_config,
    },
  };
}

/** A way to the servers of the configuration. */
export function connectControl(config: AgentConfig, signal?: AbortSignal): ControlClient {
  const control: ControlConfig = {
    name: config.name,
    port: config.port,
    hostlist: config.access_points,
    transport_config: config.transport_config,
    path: undefined,
  };
  return new ControlClient(control, { component: 'agent', ...(signal ? { signal } : {}) });
}

/** Opens the log, and says where it is when that is not the console. */
export async function openLog(context: VerbContext, config: AgentConfig): Promise<ControlLog> {
  if (config.log_file !== '') context.io.print(`daos_agent logging to file ${config.log_file}\n`);
  return ControlLog.open({
    mask: config.control_log_mask,
    file: config.log_file,
    json: context.options['jsonLogging'] === true,
  });
}

export function textOption(context: VerbContext, name: string): string | undefined {
  const value = context.options[name];
  return typeof value === 'string' ? value : undefined;
}
