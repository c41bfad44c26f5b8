import { DaosError, type Uuid } from '@daos/common';
import { dcPoolConnect } from '@daos/pool/dc';

import { agentDirOf } from './agent.js';
import { ClientPool } from './pool.js';
import { ClientSystem } from './system.js';
import type { Daos, DaosInitOptions, OpOptions, Pool, SystemInfo } from './types.js';

const SYSTEM_DEFAULT = 'daos_server';
const SYSTEM_NAME_MAX = 15;

/**
 * Attaches this process to a DAOS system through the daos_agent of its host. Throws DER_AGENT_COMM when no agent
 * answers (the message says where it was looked for), DER_UNREACH when the system has no engine, DER_INVAL for a system
 * name that is none.
 */
export async function daosInit(options: DaosInitOptions = {}): Promise<Daos> {
  const name = options.system ?? SYSTEM_DEFAULT;
  if (name.length === 0 || name.length > SYSTEM_NAME_MAX) {
    throw new DaosError('INVAL', `system name "${name}" must have 1 to ${SYSTEM_NAME_MAX} characters`);
  }
  return new ClientDaos(await ClientSystem.attach(name, agentDirOf(options.agentDir)));
}

/** This process's attachment to a system. */
class ClientDaos implements Daos {
  private closed = false;
  private readonly pools = new Set<ClientPool>();

  constructor(private readonly attached: ClientSystem) {}

  get system(): string {
    return this.attached.name;
  }

  systemInfo(): SystemInfo {
    this.check();
    return this.attached.info();
  }

  async poolConnect(labelOrUuid: string, options: { mode?: 'ro' | 'rw' | 'ex' } & OpOptions = {}): Promise<Pool> {
    this.check();
    const dc = await dcPoolConnect(this.attached, labelOrUuid, { mode: 'rw', ...options });
    const pool = new ClientPool(dc, (closed) => {
      this.pools.delete(closed);
    });
    this.pools.add(pool);
    return pool;
  }

  async poolList(options: OpOptions = {}): Promise<{ uuid: Uuid; label: string; serviceRanks: number[] }[]> {
    this.check();
    return this.attached.listPools(options);
  }

  /** Closes what is still open and the connections. The first error is thrown after all was tried. */
  async close(): Promise<void> {
    this.check();
    this.closed = true;
    const closing = await Promise.allSettled([...this.pools].map((pool) => pool.close()));
    await this.attached.close();
    for (const outcome of closing) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.closed) await this.close();
  }

  private check(): void {
    if (this.closed) throw new DaosError('UNINIT', 'this attachment to the system was closed');
  }
}
