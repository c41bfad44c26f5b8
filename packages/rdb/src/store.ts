import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';

import { messageCodec, f, type MessageOf } from '@daos/cart';
import { DaosError, lmdbFileState, type Uuid } from '@daos/common';
import { open, type Database, type RootDatabase } from 'lmdb';

import { KVS_TREE_EMPTY, type KvsTable, type KvsTreeHead } from './kvs_tree.js';
import type { KvsClass } from './path.js';

/** Identity of a replica: a rank that leaves and comes back is a new replica, by its generation. */
export interface RdbReplicaId {
  readonly rank: number;
  readonly generation: number;
}

const MAGIC = 'DAOSRDB';
/** Layout versions that this program can open; the last one is what it writes. */
const LAYOUT_VERSIONS: readonly number[] = [1];
const LAYOUT_VERSION = 1;
const CLASS_NUMBERS: readonly KvsClass[] = ['generic', 'integer', 'lexical'];

const replicaId = { rank: f.u32, generation: f.u32 };
const superblockFields = {
  magic: f.str,
  layoutVersion: f.u32,
  uuid: f.uuid,
  self: f.struct(replicaId),
  /** Members at creation, the self one included. */
  bootstrap: f.array(f.struct(replicaId)),
  capacityBytes: f.int,
};
/** What Raft calls persistent state, and the oldest term a caller may act in. */
const termFields = { term: f.int, vote: f.nullable(f.struct(replicaId)) };
/** How far the state goes: it holds the effects of every entry up to `index`. The log holds (base, index]. */
const appliedFields = {
  index: f.int,
  term: f.int,
  base: f.int,
  baseTerm: f.int,
  rootClass: f.nullable(f.u32),
  nextKvsId: f.u64,
  usedBytes: f.int,
};
const superblockCodec = messageCodec(superblockFields);
const termCodec = messageCodec(termFields);
const appliedCodec = messageCodec(appliedFields);

export type RdbSuperblock = MessageOf<typeof superblockFields>;
export type RdbTermRecord = MessageOf<typeof termFields>;

/** Position of the state in the log, and the head of the tree at that point. */
export interface RdbApplied {
  readonly index: number;
  readonly term: number;
  readonly base: number;
  readonly baseTerm: number;
  readonly head: KvsTreeHead;
}

const KEY_SUPERBLOCK = Buffer.from('superblock');
const KEY_TERM = Buffer.from('term');
const KEY_APPLIED = Buffer.from('applied');

/** The file of one replica: superblock, term and vote, log, and the rows of the tree. */
export class RdbStore {
  private constructor(
    private readonly env: RootDatabase<Buffer, Buffer>,
    private readonly meta: Database<Buffer, Buffer>,
    private readonly logTable: Database<Buffer, Buffer>,
    private readonly rows: Database<Buffer, Buffer>,
    readonly superblock: RdbSuperblock,
  ) {}

  /** Makes the file. DER_EXIST when it is there. The first transaction holds all that makes it valid. */
  static create(
    path: string,
    uuid: Uuid,
    self: RdbReplicaId,
    bootstrap: readonly RdbReplicaId[],
    capacityBytes: number,
  ): RdbStore {
    if (existsSync(path)) throw new DaosError('EXIST', `RDB replica ${path} exists`);
    const { env, meta, logTable, rows } = openTables(path, capacityBytes);
    const superblock = { magic: MAGIC, layoutVersion: LAYOUT_VERSION, uuid, self, bootstrap, capacityBytes };
    env.transactionSync(() => {
      meta.putSync(KEY_SUPERBLOCK, buffer(superblockCodec.encode(superblock)));
      meta.putSync(KEY_TERM, buffer(termCodec.encode({ term: 0 })));
      meta.putSync(
        KEY_APPLIED,
        encodeApplied({ index: 0, term: 0, base: 0, baseTerm: 0, head: KVS_TREE_EMPTY }),
      );
    });
    return new RdbStore(env, meta, logTable, rows, superblock);
  }

  /**
   * Opens an existing file and changes nothing. DER_NONEXIST without one; DER_DF_INVAL when its creation was cut short
   * or it is no RDB; DER_DF_INCOMPT for another layout version; DER_ID_MISMATCH for another database.
   */
  static async open(path: string, uuid: Uuid): Promise<RdbStore> {
    if (!existsSync(path)) throw new DaosError('NONEXIST', `no RDB replica ${path}`);
    checkFile(path);
    const { env, meta, logTable, rows } = openTables(path);
    try {
      return new RdbStore(env, meta, logTable, rows, checkSuperblock(path, uuid, meta.get(KEY_SUPERBLOCK)));
    } catch (error) {
      await env.close();
      throw error;
    }
  }

  /** Removes the file of a closed replica; none is success. */
  static async destroy(path: string): Promise<void> {
    await rm(path, { force: true });
    await rm(`${path}-lock`, { force: true });
  }

  /** Runs writes in one transaction; on return they are on stable storage. All or nothing. */
  transaction<T>(run: () => T): T {
    try {
      return this.env.transactionSync(run);
    } catch (error) {
      if (error instanceof DaosError) throw error;
      const full = error instanceof Error && /ENOSPC|MAP_FULL|No space/i.test(error.message);
      throw new DaosError(
        full ? 'NOSPACE' : 'IO',
        `RDB replica of ${this.superblock.uuid} cannot be written`,
        { cause: error },
      );
    } finally {
      this.env.resetReadTxn();
    }
  }

  /** Rows of the tree. */
  readonly table: KvsTable = {
    get: (row) => this.rows.get(buffer(row)),
    range: (start, end, limit, reverse) => {
      const bounds = reverse
        ? { start: buffer(end), end: buffer(start) }
        : { start: buffer(start), end: buffer(end) };
      // Reverse ranges of the store include their upper bound and exclude the lower one.
      const found = [
        ...this.rows.getRange({ ...bounds, reverse: reverse ?? false, limit: limit + (reverse ? 1 : 0) }),
      ];
      const inside = reverse ? found.filter(({ key }) => Buffer.compare(key, end) < 0) : found;
      return inside.slice(0, limit).map(({ key, value }) => ({ key: Buffer.from(key), value }));
    },
    put: (row, value) => this.rows.putSync(buffer(row), buffer(value)),
    remove: (row) => void this.rows.removeSync(buffer(row)),
  };

  readTerm(): RdbTermRecord {
    return termCodec.decode(this.mustGet(KEY_TERM));
  }

  /** Inside a transaction. */
  writeTerm(record: RdbTermRecord): void {
    this.meta.putSync(KEY_TERM, buffer(termCodec.encode(record)));
  }

  readApplied(): RdbApplied {
    const { rootClass, nextKvsId, usedBytes, ...position } = appliedCodec.decode(this.mustGet(KEY_APPLIED));
    const kvsClass = rootClass === undefined ? undefined : CLASS_NUMBERS[rootClass];
    return { ...position, head: { rootClass: kvsClass, nextKvsId, usedBytes } };
  }

  /** Inside a transaction. */
  writeApplied(applied: RdbApplied): void {
    this.meta.putSync(KEY_APPLIED, encodeApplied(applied));
  }

  /** Inside a transaction. */
  logPut(index: number, term: number, data: Uint8Array): void {
    const record = Buffer.allocUnsafe(8 + data.length);
    record.writeDoubleBE(term);
    record.set(data, 8);
    this.logTable.putSync(indexKey(index), record);
  }

  /** The entry at an index that the log still holds. */
  logGet(index: number): { term: number; data: Uint8Array } | undefined {
    const record = this.logTable.get(indexKey(index));
    return record && { term: record.readDoubleBE(), data: record.subarray(8) };
  }

  /** Inside a transaction: removes entries up to and with `last`. */
  logCut(first: number, last: number): void {
    for (let index = first; index <= last; index++) this.logTable.removeSync(indexKey(index));
  }

  async close(): Promise<void> {
    await this.env.close();
  }

  private mustGet(key: Buffer): Buffer {
    const value = this.meta.get(key);
    if (!value)
      throw new DaosError(
        'DF_INVAL',
        `RDB replica of ${this.superblock.uuid} lacks its ${key.toString()} record`,
      );
    return value;
  }
}

const MAP_FACTOR = 4;

/** The map is larger than the database may grow, for free pages and the copies that a transaction makes. */
function openTables(path: string, capacityBytes?: number) {
  const options = { encoding: 'binary', keyEncoding: 'binary' } as const;
  const env = open<Buffer, Buffer>({
    ...options,
    path,
    noSubdir: true,
    maxDbs: 4,
    // Commit returns when the data is on stable storage.
    overlappingSync: false,
    ...(capacityBytes === undefined ? {} : { mapSize: capacityBytes * MAP_FACTOR }),
  });
  return {
    env,
    meta: env.openDB<Buffer, Buffer>('meta', options),
    logTable: env.openDB<Buffer, Buffer>('log', options),
    rows: env.openDB<Buffer, Buffer>('rows', options),
  };
}

/** The storage library trusts the file that it maps: look at its first page before. */
function checkFile(path: string): void {
  const state = lmdbFileState(path);
  if (state === 'empty') throw new DaosError('DF_INVAL', `the creation of RDB replica ${path} was interrupted`);
  if (state !== 'lmdb') throw new DaosError('DF_INVAL', `${path} is not an RDB replica`);
}

function checkSuperblock(path: string, uuid: Uuid, bytes: Buffer | undefined): RdbSuperblock {
  if (!bytes) throw new DaosError('DF_INVAL', `the creation of RDB replica ${path} was interrupted`);
  let superblock: RdbSuperblock;
  try {
    superblock = superblockCodec.decode(bytes);
  } catch (error) {
    throw new DaosError('DF_INCOMPT', `RDB replica ${path} has an unknown superblock`, { cause: error });
  }
  if (superblock.magic !== MAGIC) throw new DaosError('DF_INVAL', `${path} is not an RDB replica`);
  if (!LAYOUT_VERSIONS.includes(superblock.layoutVersion)) {
    throw new DaosError(
      'DF_INCOMPT',
      `RDB replica ${path} has layout version ${superblock.layoutVersion}, ` +
        `this program knows ${LAYOUT_VERSIONS.join(', ')}`,
    );
  }
  if (superblock.uuid !== uuid)
    throw new DaosError('ID_MISMATCH', `RDB replica ${path} is of ${superblock.uuid}, not ${uuid}`);
  return superblock;
}

function encodeApplied(applied: RdbApplied): Buffer {
  const { head, ...position } = applied;
  return buffer(
    appliedCodec.encode({
      ...position,
      ...(head.rootClass ? { rootClass: CLASS_NUMBERS.indexOf(head.rootClass) } : {}),
      nextKvsId: head.nextKvsId,
      usedBytes: head.usedBytes,
    }),
  );
}

function indexKey(index: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeBigUInt64BE(BigInt(index));
  return key;
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
