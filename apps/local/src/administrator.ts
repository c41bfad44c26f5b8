import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

import { isDaosError } from '@daos/common';
import {
  ControlClient,
  isUninitialized,
  loadControlConfig,
  poolCreate,
  poolList,
  storageFormat,
  systemQuery,
  tierBytesOfShare,
} from '@daos/control';

const POLL_MS = 50;
/** Share of the storage that the first pool takes; the rest is for pools that the user makes. */
const POOL_SHARE = 0.75;
const CALL_TIMEOUT_MS = 5_000;

/** What a new system needs of its administrator and first user: format, pool, container. */
export class Administrator implements Disposable {
  private constructor(
    private readonly client: ControlClient,
    private readonly controller: AbortController,
  ) {}

  static async connect(controlConfig: string): Promise<Administrator> {
    const controller = new AbortController();
    return new Administrator(new ControlClient(await loadControlConfig(controlConfig), { signal: controller.signal }), controller);
  }

  /** True when the server waits for a format; returns as soon as it answers either way. */
  async needsFormat(deadline: number): Promise<boolean> {
    for (;;) {
      try {
        await systemQuery(this.client, { failOnUnavailable: true }, { timeoutMs: CALL_TIMEOUT_MS });
        return false;
      } catch (error) {
        if (isUninitialized(error)) return true;
        if (Date.now() > deadline) throw error;
      }
      this.controller.signal.throwIfAborted();
      await sleep(POLL_MS);
    }
  }

  async format(): Promise<void> {
    const { errors } = await storageFormat(this.client);
    const failed = errors.entries()[0];
    if (failed) throw new Error(`formatting the storage failed: ${failed.text}`);
  }

  /** Waits until so many ranks have joined. */
  async waitJoined(count: number, deadline: number): Promise<void> {
    for (;;) {
      let states: string;
      try {
        const { members } = await systemQuery(this.client, { failOnUnavailable: true }, { timeoutMs: CALL_TIMEOUT_MS });
        if (members.filter((member) => member.state === 'joined').length >= count) return;
        states = members.map((member) => `rank ${member.rank} ${member.state}`).join(', ');
      } catch (error) {
        states = error instanceof Error ? error.message : String(error);
      }
      this.controller.signal.throwIfAborted();
      if (Date.now() > deadline) throw new Error(`the engines did not join in time: ${states}`);
      await sleep(POLL_MS);
    }
  }

  async hasPool(label: string): Promise<boolean> {
    const { pools } = await poolList(this.client, { noQuery: true });
    return pools.some((pool) => pool.label === label);
  }

  async createPool(label: string): Promise<void> {
    const owner = ownerPrincipals();
    await poolCreate(this.client, {
      user: owner.user,
      userGroup: owner.group,
      properties: [{ number: POOL_LABEL_PROPERTY, value: { $case: 'strval', value: label } }],
      tierBytes: await tierBytesOfShare(this.client, POOL_SHARE),
    });
  }

  /** Ends what is still waiting for an answer. */
  [Symbol.dispose](): void {
    this.controller.abort(new Error('the system is stopping'));
    this.client[Symbol.dispose]();
  }
}

/** DAOS_PROP_PO_LABEL. */
const POOL_LABEL_PROPERTY = 1;

/** Creates a POSIX container unless the label is taken. */
export async function ensureContainer(agentDir: string, poolLabel: string, label: string): Promise<void> {
  const [{ daosInit }, { dfsContCreate }] = await Promise.all([import('@daos/client'), import('@daos/dfs')]);
  const daos = await daosInit({ agentDir });
  try {
    const pool = await daos.poolConnect(poolLabel, { mode: 'rw' });
    const containers = await pool.contList();
    if (containers.some((container) => container.label === label)) return;
    await dfsContCreate(pool, { label }).catch((error: unknown) => {
      if (!isDaosError(error, 'EXIST')) throw error;
    });
  } finally {
    await daos.close();
  }
}

/** The caller as DAOS names principals: `user@` and `group@`. */
function ownerPrincipals(): { user: string; group: string } {
  const { username, gid } = userInfo();
  return { user: `${username}@`, group: `${groupName(gid)}@` };
}

function groupName(gid: number): string {
  try {
    const line = readFileSync('/etc/group', 'utf8').split('\n').find((entry) => entry.split(':')[2] === String(gid));
    return line?.split(':')[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
