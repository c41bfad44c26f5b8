import type { GroupMember, RpcCaller, RpcDef, RpcHandler } from '@daos/cart';
import type { Hlc } from '@daos/common';

/**
 * An engine module: a service's server half. The same module list is started in every xstream (the main thread,
 * which is the system xstream, and one worker thread per target); `start` decides by `xs.kind` what it does there.
 */
export interface EngineModule {
  /** DAOS's name, at most 32 characters: `vos`, `mgmt`, `pool`, `cont`, `obj`, `security`, ... */
  readonly name: string;
  /** DAOS's module id: mgmt 1, pool 2, cont 3, obj 4, rebuild 5, rsvc 6, rdb 7, sec 9, dtx 10. */
  readonly id: number;
  /** RPC protocol version: mgmt 4, pool 7, cont 9, obj 10, rsvc 5, rdb 5, sec 1. */
  readonly version: number;
  /** Registers handlers and builds the module's state in this xstream. Called in list order. */
  start(xs: Xstream): ModuleInstance | Promise<ModuleInstance>;
}

export interface ModuleInstance {
  /** After the rank is known and networking runs (SET_UP). In list order; the first error stops the engine. */
  setup?(): void | Promise<void>;
  /** Before networking stops, in reverse order; errors are logged and do not stop the rest. */
  cleanup?(): void | Promise<void>;
  /** Last call, in reverse order. */
  fini?(): void | Promise<void>;
}

/** When a device is declared faulty without being told to (`bdev_auto_faulty` of the server's configuration). */
export interface AutoFaulty {
  readonly enable: boolean;
  /** One more than this is too many. */
  readonly ioErrorsMax: number;
  readonly checksumErrorsMax: number;
}

/** Facts about the engine, the same in every xstream. */
export interface EngineInfo {
  readonly systemName: string;
  /** DER_UNINIT before SET_RANK. */
  readonly rank: number;
  readonly targetCount: number;
  /** Folder of the SCM tier: one sub-folder per pool. */
  readonly storageDir: string;
  /** Folder or device of the data (NVMe) tier per target; undefined when everything lives in `storageDir`. */
  readonly dataDir: string | undefined;
  /** Folder of Unix sockets shared with daos_server. */
  readonly socketDir: string;
  readonly instanceIndex: number;
  /** Undefined: as DAOS has it. */
  readonly autoFaulty: AutoFaulty | undefined;
}

/** One execution stream: a thread with its own event loop, network context and module state. */
export interface Xstream {
  readonly kind: 'system' | 'target';
  /** Target index; -1 in the system xstream. */
  readonly target: number;
  readonly engine: EngineInfo;
  readonly hlc: Hlc;
  /** Sending side of this xstream's network context. */
  readonly cart: RpcCaller;

  /** Registers the handler of an RPC that this xstream's endpoint serves. */
  handle<Req, Rep>(rpc: RpcDef<Req, Rep>, handler: RpcHandler<Req, Rep>): void;
  /**
   * Registers an operation that other xstreams of this engine may run here. Arguments and result are structured
   * clones (no functions, no class instances but Buffers, Maps, Errors).
   */
  operation<A, R>(name: string, run: (args: A) => R | Promise<R>): void;
  /**
   * Requests that came in over the network since this xstream started, for those who wait for a quiet moment: see
   * `IdleWatch`.
   */
  readonly requestCount: number;
  /** Runs an operation on one target's xstream. */
  onTarget<A, R>(target: number, name: string, args: A): Promise<R>;
  /** Runs an operation on the system xstream. */
  onSystem<A, R>(name: string, args: A): Promise<R>;
  /**
   * Runs an operation on all targets (or the listed ones) at once. Waits for all; then throws the error of the first
   * failing target in target order, else returns the results in target order.
   */
  onTargets<A, R>(name: string, args: A, targets?: readonly number[]): Promise<R[]>;

  /** State that modules of one xstream share, set in `start`: e.g. the pool module provides 'pool.handles'. */
  provide<T>(key: TlsKey<T>, value: T): void;
  /** DER_UNINIT when nothing was provided in this xstream. */
  tls<T>(key: TlsKey<T>): T;

  /** System xstream only: registers the handler of a dRPC module served on the engine's socket. */
  handleDrpc(module: number, handler: DrpcMethodHandler): void;
  /** System xstream only: calls daos_server. `body` and the result are protobuf bytes. */
  callServer(module: number, method: number, body: Uint8Array): Promise<Uint8Array>;
  /** System xstream only: ranks and URIs of the primary group, as set by GROUP_UPDATE. */
  groupRanks(): readonly GroupMember[];
  /** System xstream only: version of the primary group; 0 before the first GROUP_UPDATE. */
  groupVersion(): number;
  /** System xstream only: the engine's own URI (tag 0), e.g. `ofi+tcp://127.0.0.1:31416`. */
  selfUri(): string;

  /**
   * System xstream only: what mgmt's dRPC handlers drive. SET_RANK: tells every xstream the rank; a second call with
   * the same rank does nothing, with another one throws DER_ALREADY.
   */
  setRank(rank: number, groupVersionMin: number): Promise<void>;
  /**
   * System xstream only, GROUP_UPDATE: replaces the primary group in every xstream. Returns false, changing nothing,
   * when `version` is not newer than the present one.
   */
  updateGroup(version: number, members: readonly GroupMember[]): Promise<boolean>;
  /**
   * System xstream only, SET_UP: runs every module's `setup` in every xstream (targets first), then opens the network
   * to requests. Throws the first error; DER_UNINIT before SET_RANK.
   */
  setUp(): Promise<void>;
  /** System xstream only, SET_LOG_MASKS: applies to every xstream. An empty text leaves that part alone. */
  setLogMasks(masks: string, subsystems: string): Promise<void>;
}

/** Typed name of shared per-xstream state. Make one with `tlsKey<T>('pool.handles')`. */
export interface TlsKey<T> {
  readonly name: string;
  /** Phantom: carries the type. */
  readonly _type?: T;
}

/** Serves one dRPC method; throws `DaosError` with DER_NOSYS for an unknown method. */
export type DrpcMethodHandler = (method: number, body: Uint8Array) => Promise<Uint8Array>;


/** How an engine is started. */
export interface EngineOptions {
  /** Modules in start order, named so that every xstream's thread can import them: see `ModuleSpecifier`. */
  readonly modules: readonly ModuleSpecifier[];
  readonly systemName?: string;
  readonly targetCount: number;
  /** Address and port of tag 0; tag t listens on port + t. Port 0 picks a free range. Default 127.0.0.1:0. */
  readonly host?: string;
  readonly port?: number;
  readonly storageDir: string;
  readonly dataDir?: string;
  readonly socketDir: string;
  readonly instanceIndex?: number;
  readonly autoFaulty?: AutoFaulty;
  /**
   * For tests: the engine gets its rank and a group of itself (or the one given) without a daos_server, and is set up
   * when `startEngine` returns. `callServer` then goes to `server`, or fails with DER_NOSYS.
   */
  readonly standalone?: StandaloneOptions;
}

export interface StandaloneOptions {
  readonly rank: number;
  /** The whole group; default this engine alone. Change it later with `RunningEngine.xs.updateGroup`. */
  readonly members?: readonly GroupMember[];
  readonly server?: (module: number, method: number, body: Uint8Array) => Promise<Uint8Array>;
}

/** Where a thread finds a module: an ES module URL or path, and the name of the exported `EngineModule`. */
export interface ModuleSpecifier {
  /** E.g. `import.meta.resolve('@daos/pool/ds')` or a `file:` URL of a test's module. */
  readonly url: string;
  /** E.g. `poolModule`. */
  readonly exportName: string;
}

/** An engine in this process. Its system xstream is the calling thread. */
export interface RunningEngine {
  /** URI of tag 0. */
  readonly uri: string;
  readonly drpcSocket: string;
  /** The system xstream, for tests. */
  readonly xs: Xstream;
  /** Resolves when SET_UP is through and requests are served. */
  readonly ready: Promise<void>;
  /** Rejects when the engine fails by itself (a target's thread died); resolves after `stop`. */
  readonly ended: Promise<void>;
  /** Serves a dRPC as if it came over the socket, for tests. */
  callDrpc(module: number, method: number, body: Uint8Array): Promise<Uint8Array>;
  /** Orderly shutdown: cleanup, drain, fini, close. */
  stop(): Promise<void>;
}
