import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

const ANY_HOST = '0.0.0.0';

/** Where this server stands among the replicas of the management service. */
export interface OwnAddress {
  /**
   * Control address, `ip:port`. With the wildcard in place of the IP when the server listens everywhere and is no
   * replica: others then put in where they see it come from.
   */
  readonly address: string;
  readonly isReplica: boolean;
}

/** Finds this server in the list of replicas (`host:port`): by its port and by any address of this host. */
export async function findOwnAddress(
  listenHost: string,
  port: number,
  replicas: readonly string[],
): Promise<OwnAddress> {
  const own = new Set(localAddresses());
  for (const replica of replicas) {
    const split = replica.lastIndexOf(':');
    if (Number(replica.slice(split + 1)) !== port) continue;
    const found = (await resolveHost(replica.slice(0, split))).find((ip) =>
      own.has(ip) || ip.startsWith('127.')
    );
    if (found === undefined) continue;
    return { address: `${listenHost === ANY_HOST ? found : listenHost}:${port}`, isReplica: true };
  }
  return { address: `${listenHost}:${port}`, isReplica: false };
}

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
}

/** IPv4 addresses of a host, lowest first; none when it cannot be resolved. */
async function resolveHost(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true, family: 4 }).catch(() => []);
  return found.map((entry) => entry.address).sort();
}
