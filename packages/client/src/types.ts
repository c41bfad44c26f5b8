import type { Epoch, ObjectId, Recx, Uuid } from '@daos/common';

/** Options that every operation that talks to a server takes. */
export interface OpOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** One akey to write. `size` 0 for arrays and `null` values punch. */
export type UpdateIod =
  | { readonly akey: Uint8Array | string; readonly type: 'single'; readonly value: Uint8Array | null; readonly flags?: number }
  | {
      readonly akey: Uint8Array | string;
      readonly type: 'array';
      /** Bytes per record; default 1. */
      readonly recordSize?: number;
      readonly recxs: readonly Recx[];
      /** All extents' records back to back; `null` punches the extents. */
      readonly value: Uint8Array | null;
      readonly flags?: number;
    };

/** One akey to read. */
export type FetchIod =
  | { readonly akey: Uint8Array | string; readonly type: 'single'; readonly flags?: number }
  | {
      readonly akey: Uint8Array | string;
      readonly type: 'array';
      readonly recordSize?: number;
      readonly recxs: readonly Recx[];
      /** Where the records land; holes leave it untouched. Made (zero-filled) when absent. */
      readonly into?: Uint8Array;
      readonly flags?: number;
    };

export interface FetchedValue {
  /** Length of the single value or record size; 0 when nothing is there. */
  readonly size: number;
  /** Single: the value. Array: the buffer of all requested extents, holes untouched. */
  readonly data: Uint8Array;
  /** Array: extents that are present, in request order. */
  readonly present: readonly Recx[];
}

export interface ListPage<T> {
  readonly items: readonly T[];
  /** Give it back to go on; undefined at the end. */
  readonly next: Uint8Array | undefined;
}

export interface ListOptions extends OpOptions {
  readonly anchor?: Uint8Array | undefined;
  /** Most items of one page. */
  readonly limit?: number;
}

export type Key = Uint8Array | string;

/** A transaction handle; `undefined` where one is taken means "now, on its own" (DAOS_TX_NONE). */
export interface Tx {
  readonly epoch: Epoch;
}

/** The native object interface (daos_obj_*). */
export interface DaosObject extends AsyncDisposable {
  readonly oid: ObjectId;
  update(tx: Tx | undefined, dkey: Key, iods: readonly UpdateIod[], options?: OpOptions & { flags?: number }): Promise<void>;
  fetch(tx: Tx | undefined, dkey: Key, iods: readonly FetchIod[], options?: OpOptions & { flags?: number; sizeOnly?: boolean }): Promise<FetchedValue[]>;
  punch(tx: Tx | undefined, options?: OpOptions): Promise<void>;
  punchDkey(tx: Tx | undefined, dkey: Key, options?: OpOptions & { flags?: number }): Promise<void>;
  punchAkeys(tx: Tx | undefined, dkey: Key, akeys: readonly Key[], options?: OpOptions & { flags?: number }): Promise<void>;
  listDkeys(tx: Tx | undefined, options?: ListOptions): Promise<ListPage<Uint8Array>>;
  listAkeys(tx: Tx | undefined, dkey: Key, options?: ListOptions): Promise<ListPage<Uint8Array>>;
  listRecxs(tx: Tx | undefined, dkey: Key, akey: Key, options?: ListOptions & { descending?: boolean }): Promise<ListPage<{ recx: Recx; epoch: Epoch; recordSize: number }>>;
  /** All dkeys, page by page. */
  dkeys(tx?: Tx, options?: OpOptions): AsyncIterable<Uint8Array>;
  akeys(dkey: Key, tx?: Tx, options?: OpOptions): AsyncIterable<Uint8Array>;
  queryKey(tx: Tx | undefined, flags: number, at?: { dkey?: Key; akey?: Key }, options?: OpOptions): Promise<{ dkey?: Uint8Array; akey?: Uint8Array; recx?: Recx }>;
  /** Anchor from which `listDkeys` (or `listAkeys` of the dkey, with an akey) begins at the given key. */
  keyToAnchor(dkey: Key, akey?: Key, options?: OpOptions): Promise<Uint8Array>;
  queryMaxEpoch(tx: Tx | undefined, options?: OpOptions): Promise<Epoch>;
  /** Layout: per group the (rank, target) of its shards. */
  layout(): { readonly version: number; readonly className: string; readonly groups: readonly (readonly { rank: number; target: number }[])[] };
  close(): Promise<void>;
}

/** Flat key-value object (daos_kv_*). */
export interface KvObject extends AsyncDisposable {
  readonly oid: ObjectId;
  /** `flags`: Cond.DKEY_INSERT / DKEY_UPDATE. */
  put(key: Key, value: Uint8Array, options?: OpOptions & { tx?: Tx; flags?: number }): Promise<void>;
  /** undefined when the key is absent. */
  get(key: Key, options?: OpOptions & { tx?: Tx }): Promise<Uint8Array | undefined>;
  /** Size of the value in bytes, undefined when the key is absent. */
  size(key: Key, options?: OpOptions & { tx?: Tx }): Promise<number | undefined>;
  remove(key: Key, options?: OpOptions & { tx?: Tx; flags?: number }): Promise<void>;
  list(options?: ListOptions & { tx?: Tx }): Promise<ListPage<Uint8Array>>;
  keys(options?: OpOptions & { tx?: Tx }): AsyncIterable<Uint8Array>;
  /** Punches the whole object. */
  destroy(options?: OpOptions): Promise<void>;
  close(): Promise<void>;
}

/** One-dimensional array of fixed-size cells (daos_array_*), chunked over dkeys. Indices and counts in cells. */
export interface ArrayObject extends AsyncDisposable {
  readonly oid: ObjectId;
  readonly cellSize: number;
  readonly chunkSize: number;
  read(ranges: readonly Recx[] | Recx, into: Uint8Array, options?: OpOptions & { tx?: Tx }): Promise<{ bytesRead: number }>;
  write(ranges: readonly Recx[] | Recx, data: Uint8Array, options?: OpOptions & { tx?: Tx }): Promise<void>;
  punch(ranges: readonly Recx[] | Recx, options?: OpOptions & { tx?: Tx }): Promise<void>;
  getSize(options?: OpOptions & { tx?: Tx }): Promise<bigint>;
  /** Size and highest epoch. */
  stat(options?: OpOptions & { tx?: Tx }): Promise<{ size: bigint; maxEpoch: Epoch }>;
  setSize(size: bigint, options?: OpOptions & { tx?: Tx }): Promise<void>;
  destroy(options?: OpOptions): Promise<void>;
  close(): Promise<void>;
}

export interface ObjectCreateOptions {
  /** Class name, e.g. `SX`, `S1`; automatic when absent. */
  readonly class?: string;
  /** Class hints (DAOS_OCH_*), used when no class is given. */
  readonly hints?: number;
}

export interface ContainerInfo {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly layoutType: string;
  readonly latestSnapshot: Epoch;
  readonly snapshotCount: number;
  readonly redundancyFactor: number;
  readonly handleCount: number;
  readonly openTime: Epoch;
  readonly closeModifyTime: Epoch;
}

/** A property as libdaos has it: `name` as the CLI prints it (`label`, `rd_fac`, `cksum`, ...). */
export interface PropValue {
  readonly name: string;
  readonly value: string | bigint | readonly string[];
}

export interface Container extends AsyncDisposable {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly writable: boolean;
  /** Reserves a range of object ids (`lo` values): the first of `count` consecutive ones. */
  allocOids(count: number, options?: OpOptions): Promise<bigint>;
  /** Encodes type, class and group count into the upper half of `hi`. `type`: DAOS_OT_* number. */
  generateOid(user: ObjectId, type: number, create?: ObjectCreateOptions): ObjectId;
  objOpen(oid: ObjectId, options?: { mode?: 'ro' | 'rw' }): DaosObject;
  kvCreate(options?: ObjectCreateOptions & { oid?: ObjectId }): Promise<KvObject>;
  kvOpen(oid: ObjectId, options?: { mode?: 'ro' | 'rw' }): KvObject;
  arrayCreate(options: ObjectCreateOptions & { oid?: ObjectId; cellSize: number; chunkSize: number }): Promise<ArrayObject>;
  arrayOpen(oid: ObjectId, options?: { mode?: 'ro' | 'rw' }): Promise<ArrayObject>;
  /** Open without stored attributes (DFS files: type ARRAY_BYTE). No RPC. */
  arrayOpenWithAttr(oid: ObjectId, attr: { cellSize: number; chunkSize: number; mode?: 'ro' | 'rw' }): ArrayObject;
  query(options?: OpOptions): Promise<ContainerInfo>;
  /** Properties by number (container properties start at 0x1000), as stored. */
  getProps(names?: readonly string[], options?: OpOptions): Promise<PropValue[]>;
  setProps(props: Readonly<Record<string, string>>, options?: OpOptions): Promise<void>;
  setAttrs(attrs: Readonly<Record<string, Uint8Array>>, options?: OpOptions): Promise<void>;
  /** Values in the order of the names; DER_NONEXIST names the first missing one. */
  getAttrs(names: readonly string[], options?: OpOptions): Promise<Uint8Array[]>;
  listAttrs(options?: OpOptions): Promise<string[]>;
  delAttrs(names: readonly string[], options?: OpOptions): Promise<void>;
  /** A transaction is a later capability: DER_NOSYS. */
  txOpen(options?: OpOptions): Promise<Tx>;
  /** All objects of the container (ids known on the targets, each once). */
  objects(options?: OpOptions): AsyncIterable<ObjectId>;
  close(): Promise<void>;
}

export interface PoolTierInfo {
  readonly mediaType: 'scm' | 'nvme';
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly meanBytes: number;
}

export interface PoolInfo {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly targetCount: number;
  readonly activeTargetCount: number;
  readonly disabledTargetCount: number;
  readonly mapVersion: number;
  readonly layoutVersion: number;
  readonly upgradeLayoutVersion: number;
  readonly leaderRank: number;
  readonly serviceRanks: readonly number[];
  readonly enabledRanks: readonly number[];
  readonly state: string;
  readonly rebuildState: 'idle' | 'busy' | 'done';
  readonly tiers: readonly PoolTierInfo[];
}

export interface Pool extends AsyncDisposable {
  readonly uuid: Uuid;
  readonly label: string | undefined;
  query(options?: OpOptions): Promise<PoolInfo>;
  contCreate(options?: { label?: string; type?: 'POSIX' | 'HDF5' | 'PYTHON' | 'unknown'; props?: Readonly<Record<string, string>>; attrs?: Readonly<Record<string, Uint8Array>>; uuid?: Uuid } & OpOptions): Promise<Uuid>;
  /** By label or UUID. DER_NONEXIST when there is none, DER_NO_PERM when the caller may not. */
  contOpen(labelOrUuid: string, options?: { mode?: 'ro' | 'rw' } & OpOptions): Promise<Container>;
  /** DER_BUSY while handles are open, unless `force`. */
  contDestroy(labelOrUuid: string, options?: { force?: boolean } & OpOptions): Promise<void>;
  contList(options?: OpOptions): Promise<{ uuid: Uuid; label: string | undefined }[]>;
  getAttrs(names: readonly string[], options?: OpOptions): Promise<Uint8Array[]>;
  setAttrs(attrs: Readonly<Record<string, Uint8Array>>, options?: OpOptions): Promise<void>;
  listAttrs(options?: OpOptions): Promise<string[]>;
  delAttrs(names: readonly string[], options?: OpOptions): Promise<void>;
  close(): Promise<void>;
}

export interface DaosInitOptions {
  /** System name; default `daos_server`. */
  readonly system?: string;
  /**
   * Folder of the agent's socket. Default: `$DAOS_AGENT_DRPC_DIR`, else the folder of a system started here
   * (`./.daos`), else `/var/run/daos_agent`.
   */
  readonly agentDir?: string;
}

/** What this client was told about the system when it attached. */
export interface SystemInfo {
  readonly name: string;
  /** Fabric provider, e.g. `ofi+tcp`. */
  readonly provider: string;
  /** Socket of the agent that told it. */
  readonly agentPath: string;
  /** Version of the servers, `major.minor.patch`. */
  readonly serverVersion: string;
  readonly rankUris: readonly { readonly rank: number; readonly uri: string }[];
  /** Ranks on hosts that run the management service. */
  readonly accessPointRanks: readonly number[];
}

export interface Daos extends AsyncDisposable {
  readonly system: string;
  systemInfo(): SystemInfo;
  poolConnect(labelOrUuid: string, options?: { mode?: 'ro' | 'rw' | 'ex' } & OpOptions): Promise<Pool>;
  /** Pools that the caller may see. */
  poolList(options?: OpOptions): Promise<{ uuid: Uuid; label: string; serviceRanks: number[] }[]>;
  close(): Promise<void>;
}
