import type { Pool } from '@daos/client';
import { DaosError, type Uuid } from '@daos/common';
import { ContextError, describeError, formatEntity, isLabel, type EntityAttribute } from '@daos/control';
import { UsageError, type VerbContext, type VerbResult } from '@daos/control/cli';

import { parseAttributes } from '../attributes.js';
import { failAs, withPool } from '../session.js';
import { containerJson, readContainer } from './container_info.js';
import type { ContainerType } from './flags.js';

interface CreateOptions {
  readonly type?: ContainerType;
  readonly path?: string;
  readonly chunkSize?: number;
  readonly oclass?: string;
  readonly dirOclass?: string;
  readonly fileOclass?: string;
  readonly hints?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly mode?: 'relaxed' | 'balanced';
  readonly aclFile?: string;
  readonly group?: string;
  readonly attrs?: string;
}

/** `daos container create`. */
export async function run(context: VerbContext): Promise<VerbResult> {
  const options = context.options as CreateOptions;
  const [poolId, labelArgument] = context.args;
  if (poolId === undefined) throw new UsageError('no pool ID or dfs path supplied');
  refuseLater(options);
  const label = chooseLabel(labelArgument, options.properties?.label);
  const attrs = options.attrs === undefined ? undefined : parseAttributes(options.attrs);
  return withPool(context, poolId, { mode: 'rw', naming: 'none' }, async (pool) => {
    const uuid = await create(pool, label, options).catch(failAs('failed to create container'));
    if (attrs) await setAttributes(context, pool, uuid, label, attrs);
    const type = options.type ?? 'unknown';
    const rows: EntityAttribute[] = [['Container UUID', uuid]];
    if (label !== undefined) rows.push(['Container Label', label]);
    rows.push(['Container Type', type]);
    context.io.print(`Successfully created container ${uuid} type ${type}\n${formatEntity('', rows, 'Container Label'.length)}`);
    return { json: context.json ? await describeCreated(context, pool, uuid) : null };
  });
}

function refuseLater(options: CreateOptions): void {
  const later = (
    [
      ['--path', options.path],
      ['--acl-file', options.aclFile],
      ['--group', options.group],
    ] as const
  ).find(([, value]) => value !== undefined);
  if (later) throw new ContextError('container create', new DaosError('NOSYS', `${later[0]} is not in this release`));
}

function chooseLabel(argument: string | undefined, property: string | undefined): string | undefined {
  if (argument !== undefined && property !== undefined) throw new UsageError("can't supply label arg and --properties label:");
  const label = argument ?? property;
  if (label !== undefined && !isLabel(label)) throw new UsageError(`invalid label ${JSON.stringify(label)}`);
  return label;
}

async function create(pool: Pool, label: string | undefined, options: CreateOptions): Promise<Uuid> {
  const named = label === undefined ? {} : { label };
  const props = Object.fromEntries(Object.entries(options.properties ?? {}).filter(([name]) => name !== 'label'));
  if (options.type !== 'POSIX') return pool.contCreate({ ...named, type: plainType(options.type), props });
  const { dfsContCreate } = await import('@daos/dfs');
  return dfsContCreate(pool, {
    ...named,
    props,
    ...(options.chunkSize === undefined ? {} : { chunkSize: options.chunkSize }),
    ...(options.oclass === undefined ? {} : { objectClass: options.oclass }),
    ...(options.dirOclass === undefined ? {} : { directoryClass: options.dirOclass }),
    ...(options.fileOclass === undefined ? {} : { fileClass: options.fileOclass }),
    ...(options.hints === undefined ? {} : { hints: options.hints }),
    ...(options.mode === undefined ? {} : { mode: options.mode }),
  }).catch((error: unknown) => {
    // What failed is told by DAOS's own status, not by the file system's.
    throw error instanceof Error && error.cause instanceof DaosError ? error.cause : error;
  });
}

function plainType(type: ContainerType | undefined): 'HDF5' | 'PYTHON' | 'unknown' {
  if (type === undefined || type === 'HDF5' || type === 'PYTHON' || type === 'unknown') return type ?? 'unknown';
  throw new DaosError('NOSYS', `containers of type ${type} are not in this release`);
}

/** A container that cannot get its attributes is taken back. */
async function setAttributes(
  context: VerbContext,
  pool: Pool,
  uuid: Uuid,
  label: string | undefined,
  attrs: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  try {
    const container = await pool.contOpen(uuid, { mode: 'rw', signal: context.signal });
    try {
      await container.setAttrs(attrs);
    } finally {
      await container.close();
    }
  } catch (error) {
    await pool.contDestroy(uuid, { force: true });
    throw new ContextError(`failed to set attributes on container ${label ?? uuid}`, error);
  }
  context.io.print(`Attributes successfully set on container "${label ?? uuid}"\n`);
}

/** What was created. A container that may not be queried is still reported as created. */
async function describeCreated(context: VerbContext, pool: Pool, uuid: Uuid): Promise<unknown> {
  try {
    const container = await pool.contOpen(uuid, { mode: 'ro', signal: context.signal });
    try {
      return containerJson(await readContainer(container, pool.uuid, context.signal));
    } finally {
      await container.close();
    }
  } catch (error) {
    context.io.error(`container ${uuid} was created, but query failed: ${describeError(error)}`);
    return { pool_uuid: pool.uuid, container_uuid: uuid };
  }
}
