import { uuidToBytes, type Uuid } from '@daos/common';
import { rdbStringKey, type RdbPath } from '@daos/rdb';

/* Container metadata lives in the root KVS of its pool's database. */

const CUUIDS = rdbStringKey('cuuids');
const CONTS = rdbStringKey('conts');
const CONT_HANDLES = rdbStringKey('cont_handles');

export const RootKey = { CUUIDS, CONTS, CONT_HANDLES } as const;

/** Label (no terminator) -> UUID. */
export const PATH_CUUIDS: RdbPath = [CUUIDS];
/** UUID -> property KVS. */
export const PATH_CONTS: RdbPath = [CONTS];
/** Handle UUID -> handle record. */
export const PATH_CONT_HANDLES: RdbPath = [CONT_HANDLES];

/** Keys of a container's property KVS beside those of its properties. */
export const ContKey = {
  /** Flags of the container's life: `ContLife`. */
  GHCE: rdbStringKey('ghce'),
  MD_TIMES: rdbStringKey('co_md_times'),
  NHANDLES: rdbStringKey('nhandles'),
  NSNAPSHOTS: rdbStringKey('nsnapshots'),
  SNAPSHOTS: rdbStringKey('snapshots'),
  /** HLC value of the last deletion of a snapshot. */
  SNAP_DELETED: rdbStringKey('snap_deleted'),
  USER: rdbStringKey('user'),
  HANDLES: rdbStringKey('handles'),
} as const;

/** Bits of `ghce`. */
export const ContLife = { DESTROYING: 1n } as const;

export function contPath(uuid: Uuid): RdbPath {
  return [CONTS, uuidToBytes(uuid)];
}

export function contUserPath(uuid: Uuid): RdbPath {
  return [...contPath(uuid), ContKey.USER];
}

export function contSnapshotsPath(uuid: Uuid): RdbPath {
  return [...contPath(uuid), ContKey.SNAPSHOTS];
}

export function contHandlesPath(uuid: Uuid): RdbPath {
  return [...contPath(uuid), ContKey.HANDLES];
}

export function labelKey(label: string): Uint8Array {
  return Buffer.from(label, 'utf8');
}
