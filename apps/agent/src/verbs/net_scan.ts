import { hostname } from 'node:os';

import { formatBanner, formatTable, indentText } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { isLoopback, scanFabric } from '../fabric.js';
import { loadSession, textOption } from '../session.js';

/** Providers that this system's network speaks. */
const PROVIDERS = ['ofi+tcp'];

/** `daos_agent net-scan`: interfaces that clients can use, by NUMA node. */
export async function netScan(context: VerbContext): Promise<VerbResult> {
  const { config } = await loadSession(context);
  const wanted = textOption(context, 'provider') ?? 'all';
  const providers = PROVIDERS.filter((provider) => wanted === 'all' || provider === wanted);
  const devices = scanFabric(config).filter((device) => !isLoopback(device));
  const nodes = [...new Set(devices.map((device) => device.numaNode))].sort((a, b) => a - b);
  const found = nodes.flatMap((numaNode) =>
    providers.map((provider) => ({
      numa_node: numaNode,
      provider,
      interfaces: devices.filter((device) => device.numaNode === numaNode).map((device) => device.iface),
    })),
  );
  if (found.length > 0) context.io.print(format(nodes, found));
  return { json: { host: hostname(), fabric: found } };
}

function format(nodes: readonly number[], found: readonly { numa_node: number; provider: string; interfaces: string[] }[]): string {
  const sections = nodes.map((node) => {
    const rows = found.filter((one) => one.numa_node === node).map((one) => ({ Provider: one.provider, Interfaces: one.interfaces.join(', ') }));
    return indentText(`${formatBanner(`NUMA Socket ${node}`)}\n${indentText(formatTable(['Provider', 'Interfaces'], rows), 4)}`, 4);
  });
  return `${formatBanner('localhost')}\n${sections.join('\n')}`;
}
