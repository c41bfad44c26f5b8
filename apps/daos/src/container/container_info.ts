import type { Container, ContainerInfo } from '@daos/client';
import { hlcToUnixNs, type Epoch } from '@daos/common';
import { formatBinaryBytes, formatEntity, type EntityAttribute } from '@daos/control';

/** Names of a query's rows are padded to this width. */
const NAME_WIDTH = 28;

/** Defaults for files of a POSIX container. */
export interface PosixInfo {
  readonly objectClass: string | undefined;
  readonly directoryClass: string;
  readonly fileClass: string;
  readonly chunkSize: number;
}

export interface ShownContainer {
  readonly info: ContainerInfo;
  readonly poolUuid: string;
  readonly health: string;
  readonly posix: PosixInfo | undefined;
}

/** Everything that `container query` shows. */
export async function readContainer(container: Container, poolUuid: string, signal: AbortSignal): Promise<ShownContainer> {
  const info = await container.query({ signal });
  const props = await container.getProps(undefined, { signal });
  const status = props.find((prop) => prop.name === 'status')?.value;
  const health = typeof status === 'string' ? status.toUpperCase() : 'HEALTHY';
  const posix = info.layoutType === 'POSIX' ? await readPosix(container) : undefined;
  return { info, poolUuid, health, posix };
}

async function readPosix(container: Container): Promise<PosixInfo> {
  const { dfsMount } = await import('@daos/dfs');
  const mount = await dfsMount(container, { mode: 'ro' });
  try {
    const { chunkSize, objectClass, directoryClass, fileClass } = mount.defaults();
    return { chunkSize, objectClass, directoryClass, fileClass };
  } finally {
    await mount.umount();
  }
}

/** Text of a container query. */
export function formatContainer({ info, poolUuid, posix }: ShownContainer): string {
  const rows: EntityAttribute[] = [['Container UUID', info.uuid]];
  if (info.label !== undefined) rows.push(['Container Label', info.label]);
  rows.push(
    ['Container Type', info.layoutType],
    ['Pool UUID', poolUuid],
    ['Container redundancy factor', String(info.redundancyFactor)],
    ['Number of open handles', String(info.handleCount)],
    ['Latest open time', epochText(info.openTime)],
    ['Latest close/modify time', epochText(info.closeModifyTime)],
    ['Number of snapshots', String(info.snapshotCount)],
  );
  if (info.latestSnapshot !== 0n) {
    rows.push(['Latest Persistent Snapshot', `${hex(info.latestSnapshot)} (${timeText(info.latestSnapshot)})`]);
  }
  if (posix) {
    if (posix.objectClass !== undefined) rows.push(['Object Class', posix.objectClass]);
    rows.push(
      ['Dir Object Class', posix.directoryClass],
      ['File Object Class', posix.fileClass],
      ['Chunk Size', formatBinaryBytes(posix.chunkSize)],
    );
  }
  return formatEntity('', rows, NAME_WIDTH);
}

/** JSON of a container, keys in DAOS's order. */
export function containerJson({ info, poolUuid, health, posix }: ShownContainer): Record<string, unknown> {
  return {
    pool_uuid: poolUuid,
    container_uuid: info.uuid,
    ...(info.label === undefined ? {} : { container_label: info.label }),
    ...(info.latestSnapshot === 0n ? {} : { latest_snapshot: info.latestSnapshot }),
    redundancy_factor: info.redundancyFactor,
    num_handles: info.handleCount,
    num_snapshots: info.snapshotCount,
    container_type: info.layoutType,
    health,
    ...(posix
      ? {
          ...(posix.objectClass === undefined ? {} : { object_class: posix.objectClass }),
          chunk_size: posix.chunkSize,
          dir_object_class: posix.directoryClass,
          file_object_class: posix.fileClass,
        }
      : {}),
    open_time: timeText(info.openTime),
    close_modify_time: timeText(info.closeModifyTime),
  };
}

function epochText(epoch: Epoch): string {
  return `${timeText(epoch)} (${hex(epoch)})`;
}

function hex(epoch: Epoch): string {
  return `0x${epoch.toString(16)}`;
}

/** `2026-11-23 04:00:57.753796608 +0000 UTC`; trailing zeros of the fraction are left out. */
export function timeText(epoch: Epoch): string {
  const ns = hlcToUnixNs(epoch);
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`} +0000 UTC`;
}
