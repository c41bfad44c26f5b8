import { networkInterfaces } from 'node:os';

import { DaosError } from '@daos/common';

/** Where a context listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const URI_RE = /^[a-z0-9+_;]+:\/\/(\[[0-9a-f:.]+\]|[^:/\s]+):(\d{1,5})$/i;

/** Address of a tag of the engine whose tag 0 is at `uri`: consecutive ports. Throws DER_INVAL for a bad URI. */
export function tagAddress(uri: string, tag: number): Address {
  const match = URI_RE.exec(uri);
  const port = Number(match?.[2]) + tag;
  if (!match?.[1] || !(port > 0 && port < 65_536)) {
    throw new DaosError('INVAL', `"${uri}" is not a fabric URI such as ofi+tcp://HOST:PORT`);
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

/** URI of a context at an address. */
export function uriOf(address: Address): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `ofi+tcp://${host}:${address.port}`;
}

/**
 * Name of the Unix socket beside a TCP address, for peers of the same host. Abstract names live in the network
 * namespace, as ports do, and vanish with the process; undefined where the platform has none.
 */
export function unixName(address: Address): string | undefined {
  return process.platform === 'linux' ? `\0daos/cart/${address.host}:${address.port}` : undefined;
}

let localHosts: Set<string> | undefined;

/** True when the address belongs to this host. Host names other than `localhost` count as remote. */
export function isLocalHost(host: string): boolean {
  if (host.startsWith('127.') || host === '::1' || host === 'localhost') return true;
  localHosts ??= new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((i) => i.address)));
  return localHosts.has(host);
}
