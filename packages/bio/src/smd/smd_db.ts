import { DaosError, lmdbFileState, type LmdbFileState } from '@daos/common';
import * as lmdb from 'lmdb';

import { ioError } from '../io_error.js';

/** Grows with devices, targets and pools: a few hundred bytes each. */
const MAP_BYTES = 128 * 1024 * 1024;
const VERSION_KEY = 'version';
/** Layout of keys and rows. Another one is refused, never guessed. */
export const SMD_VERSION = 1;
const KEY_BYTES_MAX = 128;

/** A table of the store; a key is `table/uuid` or `table/number`. */
export type SmdTable =
  | 'device' | 'target' | 'meta_target' | 'wal_target'
  | 'pool' | 'meta_pool' | 'wal_pool'
  | 'rdb_data' | 'rdb_meta' | 'rdb_wal'
  | 'ex_pool' | 'ex_rdb'
  | 'ctrlr_data';

/**
 * The SMD store of a server: which device serves which target, which blobs a pool has. An LMDB environment of its own;
 * every call is one durable transaction. One process opens it, in one thread.
 */
export class SmdDb {
  private constructor(
    readonly path: string,
    private readonly store: lmdb.RootDatabase<string, string>,
  ) {}

  /**
   * Opens the store at `path` (a file; made when it is not there). DER_DF_INCOMPT for a version that this program does
   * not know: nothing is changed then. DER_DF_INVAL when it is damaged or something else.
   */
  static async open(path: string): Promise<SmdDb> {
    const isNew = checkFile(path) === 'new';
    const store = openStore(path);
    try {
      checkVersion(path, store, isNew);
    } catch (error) {
      await store.close();
      throw error;
    }
    return new SmdDb(path, store);
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  /** A row, checked by `decode`, which gets what JSON held and throws when it is not a row. */
  get<T>(table: SmdTable, key: string | number, decode: (row: unknown) => T): T | undefined {
    const text = this.store.get(keyOf(table, key));
    return text === undefined ? undefined : this.decodeRow(`${table}/${key}`, text, decode);
  }

  put(table: SmdTable, key: string | number, row: object): void {
    void this.store.putSync(keyOf(table, key), JSON.stringify(row));
  }

  remove(table: SmdTable, key: string | number): void {
    void this.store.removeSync(keyOf(table, key));
  }

  /** All rows of a table in the order of their keys (as text). */
  *list<T>(table: SmdTable, decode: (row: unknown) => T): Generator<{ key: string; row: T }> {
    const prefix = `${table}/`;
    // '0' is what follows '/'
    for (const { key, value } of this.store.getRange({ start: prefix, end: `${table}0`, snapshot: true })) {
      yield { key: key.slice(prefix.length), row: this.decodeRow(key, value, decode) };
    }
  }

  /** All changes of `action`, or none when it throws; durable when the call returns. */
  transaction<T>(action: () => T): T {
    let failure: { error: unknown } | undefined;
    const result = this.store.transactionSync(() => {
      try {
        return action();
      } catch (error) {
        failure = { error };
        return lmdb.ABORT;
      }
    });
    if (failure) throw failure.error;
    return result as T;
  }

  private decodeRow<T>(name: string, text: string, decode: (row: unknown) => T): T {
    try {
      return decode(JSON.parse(text));
    } catch (error) {
      throw new DaosError('DF_INVAL', `row ${name} of ${this.path} is damaged: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** DER_DF_INVAL when there is a file that is no store. */
function checkFile(path: string): 'new' | 'old' {
  let state: LmdbFileState;
  try {
    state = lmdbFileState(path);
  } catch (error) {
    throw ioError(error, `open ${path}`);
  }
  if (state === 'other') throw new DaosError('DF_INVAL', `${path} is no SMD store, or it was cut short`);
  return state === 'lmdb' ? 'old' : 'new';
}

function openStore(path: string): lmdb.RootDatabase<string, string> {
  try {
    return lmdb.open<string, string>(path, {
      encoding: 'string',
      noSubdir: true,
      mapSize: MAP_BYTES,
      maxDbs: 1,
      // a commit is done when it is durable
      overlappingSync: false,
      noMemInit: true,
    });
  } catch (error) {
    throw new DaosError('DF_INVAL', `${path} is no SMD store: ${(error as Error).message}`, { cause: error });
  }
}

function checkVersion(path: string, store: lmdb.RootDatabase<string, string>, isNew: boolean): void {
  const version = store.get(VERSION_KEY);
  if (version === String(SMD_VERSION)) return;
  if (version !== undefined) {
    throw new DaosError('DF_INCOMPT', `${path} has SMD version ${version}, this program knows version ${SMD_VERSION}`);
  }
  // an empty file of ours is a creation that was interrupted
  const isEmpty = [...store.getKeys({ limit: 1 })].length === 0;
  if (!isNew && !isEmpty) throw new DaosError('DF_INCOMPT', `${path} is an LMDB file without an SMD version`);
  store.putSync(VERSION_KEY, String(SMD_VERSION));
}

function keyOf(table: SmdTable, key: string | number): string {
  const text = `${table}/${key}`;
  if (text.length > KEY_BYTES_MAX) throw new DaosError('INVAL', `"${text}" is too long for a key`);
  return text;
}
