import type { Container, Daos, Pool } from '@daos/client';
import { ContextError, isLabelOrUuid } from '@daos/control';
import type { VerbContext } from '@daos/control/cli';
import { DaosError, isDaosError } from '@daos/common';

import { isDaosUri, parseDaosUri } from './daos_uri.js';

/** How long a pool may take to answer: an engine restarts within a few seconds. */
export const CONNECT_TIMEOUT_MS = 20_000;
/** What the library may take to report its own timeout. */
const CONNECT_GRACE_MS = 1_000;

/** Opens the way into a system; tests put a fake here. */
export type DaosOpener = (system: string | undefined) => Promise<Daos>;

let opener: DaosOpener = async (system) => {
  const { daosInit } = await import('@daos/client');
  return daosInit(system === undefined ? {} : { system });
};

/** Replaces the client library for sessions opened from now on. */
export function useDaos(replacement: DaosOpener): void {
  opener = replacement;
}

/** Runs `work` with a client; closes it afterwards. */
export async function withDaos<T>(context: VerbContext, work: (daos: Daos) => Promise<T>): Promise<T> {
  const { sysName } = context.options;
  const daos = await opener(typeof sysName === 'string' ? sysName : undefined).catch((error: unknown) => {
    throw new ContextError('failed to initialize DAOS API', asInitFailure(error));
  });
  try {
    return await work(daos);
  } finally {
    await closeQuietly(daos);
  }
}

/** DAOS reports a missing agent as a miscellaneous error; scripts know it by that number. */
function asInitFailure(error: unknown): unknown {
  return isDaosError(error, 'AGENT_COMM') ? new DaosError('MISC', error.detail, { cause: error }) : error;
}

/** What has been done stays done even when taking leave fails. */
async function closeQuietly(closable: { close(): Promise<void> }): Promise<void> {
  try {
    await closable.close();
  } catch {
    // The server evicts handles of clients that are gone.
  }
}

/** Names a pool in a failure: some verbs of DAOS quote it, some do not, `create` leaves it out. */
export type PoolNaming = 'plain' | 'quoted' | 'none';

export interface PoolAccess {
  readonly mode: 'ro' | 'rw';
  readonly naming?: PoolNaming;
}

/** Runs `work` with a connection to the pool in `id`. */
export async function withPool<T>(context: VerbContext, id: string | undefined, access: PoolAccess, work: (pool: Pool, daos: Daos) => Promise<T>): Promise<T> {
  return withDaos(context, async (daos) => {
    if (id === undefined || !isLabelOrUuid(id)) {
      throw new ContextError('failed to connect to pool <no label or uuid set>', new Error('no pool UUID or label supplied'));
    }
    const pool = await connectPool(daos, id, access.mode, context.signal).catch((error: unknown) => {
      throw poolFailure(id, access.naming ?? 'plain', error);
    });
    try {
      return await work(pool, daos);
    } finally {
      await closeQuietly(pool);
    }
  });
}

/**
 * Connects to a pool. An engine that is being restarted is waited for; one that stays away is reported, while the
 * library alone would go on for a minute.
 */
export async function connectPool(daos: Daos, id: string, mode: 'ro' | 'rw', signal: AbortSignal): Promise<Pool> {
  const timeoutMs = CONNECT_TIMEOUT_MS;
  const late = new DaosError('TIMEDOUT', `no engine has answered for pool ${id} within ${timeoutMs / 1000} s; see: dmg system query`);
  return bounded(daos.poolConnect(id, { mode, signal, timeoutMs }), timeoutMs + CONNECT_GRACE_MS, late, signal);
}

/** The result of `work`, or a rejection when the time is up or the signal is aborted, whatever `work` does then. */
async function bounded<T>(work: Promise<T>, timeoutMs: number, late: Error, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), timeoutMs);
    abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    clearTimeout(timer);
    if (abort) signal.removeEventListener('abort', abort);
  }
}

function poolFailure(id: string, naming: PoolNaming, error: unknown): ContextError {
  const inner = new ContextError('failed to connect to pool', error);
  if (naming === 'none') return inner;
  return new ContextError(`failed to connect to pool ${naming === 'quoted' ? JSON.stringify(id) : id}`, inner);
}

/** Which container a verb is about, and the arguments behind it. */
export interface ContainerTarget {
  readonly pool: string;
  readonly container: string;
  /** As the user named it, for messages. */
  readonly name: string;
  readonly rest: readonly (string | undefined)[];
}

/** Reads `POOL CONT ...` or `--path daos://pool/cont ...`. */
export function containerTarget(context: VerbContext): ContainerTarget {
  const { path } = context.options;
  if (typeof path === 'string') {
    if (!isDaosUri(path)) {
      throw new ContextError(`failed to resolve path ${path}`, new DaosError('NOSYS', 'only daos://pool/container paths are resolved by this release'));
    }
    const uri = parseDaosUri(path);
    if (uri.container === '') throw new Error('no container label or UUID supplied');
    return { pool: uri.pool, container: uri.container, name: path, rest: context.args };
  }
  const [pool, container, ...rest] = context.args;
  if (pool === undefined || container === undefined || !isLabelOrUuid(container)) throw new Error('no container label or UUID supplied');
  return { pool, container, name: container, rest };
}

/** Runs `work` with the container of `target` open. */
export async function withContainer<T>(
  context: VerbContext,
  target: ContainerTarget,
  mode: 'ro' | 'rw',
  work: (container: Container, pool: Pool) => Promise<T>,
): Promise<T> {
  // A container may be changed through a connection that only reads the pool.
  return withPool(context, target.pool, { mode: 'ro', naming: 'quoted' }, async (pool) => {
    const container = await pool.contOpen(target.container, { mode, signal: context.signal }).catch((error: unknown) => {
      throw new ContextError(`failed to open container ${JSON.stringify(target.container)}`, error);
    });
    try {
      return await work(container, pool);
    } finally {
      await closeQuietly(container);
    }
  });
}

/** Makes a rejection handler that says what failed. */
export function failAs(context: string): (error: unknown) => never {
  return (error) => {
    throw new ContextError(context, error);
  };
}
