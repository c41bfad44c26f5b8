import { readFileSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';

import type { AgentConfig } from './config.js';

const NET_DIR = '/sys/class/net';
/** ARP hardware types. */
const CLASS_LOOPBACK = 772;
const CLASS_ANY = -1;

/** A network interface that clients may use. */
export interface FabricDevice {
  readonly numaNode: number;
  readonly iface: string;
  readonly domain: string;
  /** ARP hardware type (1 Ethernet, 32 InfiniBand, 772 loopback); -1: configured, fits all. */
  readonly deviceClass: number;
}

type FabricConfig = Pick<AgentConfig, 'fabric_ifaces' | 'include_fabric_ifaces' | 'exclude_fabric_ifaces'>;

/** Interfaces of this host that are up and have an address; the configured ones instead when there are any. */
export function scanFabric(config: FabricConfig): FabricDevice[] {
  if (config.fabric_ifaces.length > 0) {
    return config.fabric_ifaces.flatMap(({ numa_node, devices }) =>
      devices.map(({ iface, domain }) => ({ numaNode: numa_node, iface, domain: domain === '' ? iface : domain, deviceClass: CLASS_ANY })),
    );
  }
  const withAddress = networkInterfaces();
  return listInterfaces()
    .filter((iface) => (withAddress[iface]?.length ?? 0) > 0 && isWanted(config, iface))
    .map((iface) => ({
      numaNode: Math.max(0, readNumber(iface, 'device/numa_node', 0)),
      iface,
      domain: iface,
      deviceClass: readNumber(iface, 'type', 0),
    }));
}

/** Chooses interfaces in turn, those of the caller's NUMA node first. */
export class FabricChooser {
  private turn = 0;

  constructor(private readonly scan: () => FabricDevice[]) {}

  devices(): FabricDevice[] {
    return this.scan();
  }

  /**
   * An interface of the servers' device class (0: any but loopback). One that the client asks for by name must exist: DER_NONEXIST.
   * Undefined when this host has none of that class.
   */
  choose(deviceClass: number, numaNode: number, wanted: { iface: string; domain: string }): FabricDevice | undefined {
    const all = this.scan();
    if (wanted.iface !== '') {
      const found = all.find((one) => one.iface === wanted.iface && (wanted.domain === '' || one.domain === wanted.domain));
      if (!found) throw new DaosError('NONEXIST', `no network interface ${wanted.iface} ${wanted.domain}`.trimEnd());
      return found;
    }
    const fitting = all.filter((one) => fits(one, deviceClass));
    const near = fitting.filter((one) => one.numaNode === numaNode);
    const candidates = near.length > 0 ? near : fitting;
    return candidates.length === 0 ? undefined : candidates[this.turn++ % candidates.length];
  }
}

function fits(device: FabricDevice, deviceClass: number): boolean {
  if (device.deviceClass === CLASS_ANY) return true;
  return deviceClass === 0 ? device.deviceClass !== CLASS_LOOPBACK : device.deviceClass === deviceClass;
}

export function isLoopback(device: FabricDevice): boolean {
  return device.deviceClass === CLASS_LOOPBACK;
}

function isWanted(config: FabricConfig, iface: string): boolean {
  const { include_fabric_ifaces: include, exclude_fabric_ifaces: exclude } = config;
  return include.length > 0 ? include.includes(iface) : !exclude.includes(iface);
}

function listInterfaces(): string[] {
  try {
    return readdirSync(NET_DIR).sort();
  } catch {
    return Object.keys(networkInterfaces()).sort(); // a system without /sys
  }
}

function readNumber(iface: string, file: string, otherwise: number): number {
  try {
    const value = Number(readFileSync(join(NET_DIR, iface, file), 'utf8'));
    return Number.isInteger(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}
