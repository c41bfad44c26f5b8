import { DaosError, isUuid, type Uuid } from '@daos/common';

/** Limits of the parts of a path, in bytes. */
const PATH_BYTES_MAX = 4095;
const DB_PATH_BYTES_MAX = 255;
const FILE_NAME_BYTES_MAX = 15;
const TARGET_MAX = 0x7fff_ffff;
/** Stands for the system's own data beside the targets. */
export const SYSTEM_TARGET = 1024;

const VOS_PATH_RE = /^(.*?)\/*([^/]+)\/+([^/]+)\/*$/;
const FILE_NAME_RE = /^(?:vos-(0|[1-9]\d*)|(rdb-[^/]+))$/;

/** What the path of a shard says. */
export interface VosPath {
  readonly path: string;
  readonly poolUuid: Uuid;
  readonly fileName: string;
  /** `SYSTEM_TARGET` for a replica of the pool's metadata. */
  readonly target: number;
  /** Folder of the system's own database: given, or the one that the pool's folder is in. */
  readonly dbPath: string;
}

/**
 * Takes `.../<pool uuid>/vos-N` (or `rdb-...`) apart. DER_INVAL when it is none, DER_EXCEEDS_PATH_LEN when it, the
 * path of the database or the file name is too long, DER_OVERFLOW when N is no target number.
 */
export function vosPathParse(path: string, dbPath?: string): VosPath {
  checkLength('path', path, PATH_BYTES_MAX);
  const match = VOS_PATH_RE.exec(path);
  const [, parent = '', uuid = '', fileName = ''] = match ?? [];
  const name = FILE_NAME_RE.exec(fileName);
  if (!match || !isUuid(uuid) || !name) {
    throw new DaosError('INVAL', `"${path}" is no path of a pool shard: expected .../POOL_UUID/vos-N`);
  }
  const db = dbPath ?? (parent !== '' ? parent : path.startsWith('/') ? '/' : '.');
  checkLength('path of the database', db, DB_PATH_BYTES_MAX);
  checkLength('file name', fileName, FILE_NAME_BYTES_MAX);
  const target = name[1] === undefined ? SYSTEM_TARGET : Number(name[1]);
  if (target > TARGET_MAX) throw new DaosError('OVERFLOW', `"${fileName}": target numbers end at ${TARGET_MAX}`);
  return { path, poolUuid: uuid.toLowerCase(), fileName, target, dbPath: db };
}

function checkLength(what: string, text: string, max: number): void {
  const length = Buffer.byteLength(text);
  if (length > max) throw new DaosError('EXCEEDS_PATH_LEN', `the ${what} has ${length} bytes; ${max} are possible`);
}
