import { createServer, type Server, type Socket } from 'node:net';

import { DaosError, type Hlc } from '@daos/common';
import { assert, getLogger, RateLimit } from '@daos/gurt';

import { tagAddress, unixName, uriOf, type Address } from './address.js';
import { BufferPool } from './buffer_pool.js';
import { BulkBudget } from './bulk_budget.js';
import { Call } from './call.js';
import { Flusher } from './connection.js';
import { DeadlineTimer } from './deadline_timer.js';
import { NO_RANK, type FrameHeader } from './frame.js';
import {
  BULK_BUDGET_BYTES, CONNECTIONS_MAX, IN_FLIGHT_DEFAULT, IN_FLIGHT_MAX, INBOUND_BYTES_MAX, TIMEOUT_DEFAULT_MS,
  TIMEOUT_MAX_MS,
} from './limits.js';
import { Outgoing } from './outgoing.js';
import { ServerConnection, type Registration, type ServerSide } from './server_connection.js';
import type {
  CallOptions, CallResult, Endpoint, GroupMember, RpcCaller, RpcDef, RpcHandler,
} from './types.js';

const log = getLogger('crt');
const COMPLAINT_INTERVAL_MS = 60_000;
const POOL_RETAINED_BYTES = 32 * 1024 * 1024;
const TAGS_MAX = 1024;

export interface CartOptions {
  /** The process's clock. Servers always have one; a client without one only forwards what servers sent. */
  readonly hlc?: Hlc;
  /** Calls on the wire per connection; default CRT_CREDIT_EP_CTX, else 256. */
  readonly inFlightMax?: number;
  /** Default deadline of a call in ms; default CRT_TIMEOUT (seconds), else 60 s. */
  readonly timeoutMs?: number;
}

export interface CartListenOptions extends CartOptions {
  readonly hlc: Hlc;
  /** Address to listen on. */
  readonly host: string;
  /** Port of this very tag; 0 picks a free one. */
  readonly port: number;
  readonly tag: number;
  readonly rank?: number;
  /** Starts without reading requests; `open` lets them in. */
  readonly closedAtFirst?: boolean;
  readonly bulkBudgetBytes?: number;
}

/** A context that only calls. */
export function cartClient(options: CartOptions = {}): CartContext {
  return new CartContext(options, undefined);
}

/** A context that serves requests and calls. Throws DER_BUSY when the address is in use, DER_INVAL when it is none. */
export async function cartListen(options: CartListenOptions): Promise<CartContext> {
  const context = new CartContext(options, options);
  await context.listen(options.host, options.port);
  return context;
}

/**
 * A network context: one event loop's endpoint. Sends RPCs to members of the primary group, and when it listens,
 * serves the RPCs that were registered with `handle`.
 */
export class CartContext implements RpcCaller {
  private readonly flusher = new Flusher();
  private readonly timer = new DeadlineTimer();
  private readonly budget: BulkBudget;
  private readonly pool = new BufferPool(POOL_RETAINED_BYTES);
  private readonly handlers = new Map<number, Registration>();
  private readonly outgoing = new Map<number, Outgoing>();
  private readonly incoming = new Set<ServerConnection>();
  private servers: Server[] = [];
  private members: readonly GroupMember[] = [];
  private uriByRank = new Map<number, string>();
  private group = 0;
  private selfRank: number;
  private inboundBytes = 0;
  private admission: ServerSide['admission'];
  private closed = false;
  private listening: Address | undefined;
  /** A client's view of the servers' clock: the latest HLC that came. */
  private serverHlc = 0n;
  private readonly inFlightMax: number;
  private readonly timeoutMs: number;
  private readonly tag: number;
  private readonly serverSide: ServerSide;
  private readonly clockComplaints = new RateLimit(3_600_000);

  /** Use `cartClient` or `cartListen`. */
  constructor(private readonly options: CartOptions, listen: CartListenOptions | undefined) {
    const credits = options.inFlightMax ?? positiveEnv('CRT_CREDIT_EP_CTX') ?? IN_FLIGHT_DEFAULT;
    this.inFlightMax = Math.min(Math.max(1, credits), IN_FLIGHT_MAX);
    const timeoutMs = options.timeoutMs ?? (positiveEnv('CRT_TIMEOUT') ?? 0) * 1000;
    this.timeoutMs = timeoutMs > 0 ? Math.min(timeoutMs, TIMEOUT_MAX_MS) : TIMEOUT_DEFAULT_MS;
    this.tag = listen?.tag ?? 0;
    this.selfRank = listen?.rank ?? NO_RANK;
    this.admission = listen?.closedAtFirst ? 'closed' : 'open';
    this.budget = new BulkBudget(listen?.bulkBudgetBytes ?? BULK_BUDGET_BYTES);
    this.serverSide = this.makeServerSide();
  }

  /** URI of tag 0 if this context's tag were 0: where it listens itself. Throws DER_UNINIT for a client. */
  get uri(): string {
    if (!this.listening) throw new DaosError('UNINIT', 'this context does not listen');
    return uriOf(this.listening);
  }

  get port(): number {
    return this.listening?.port ?? 0;
  }

  /** Ranks and URIs as last set by `setGroup`. */
  groupMembers(): readonly GroupMember[] {
    return this.members;
  }

  get groupVersion(): number {
    return this.group;
  }

  /** Bytes of pulled data that are held now. */
  get bulkBytes(): number {
    return this.budget.usedBytes;
  }

  /** Requests that are being served now. */
  get serving(): number {
    let total = 0;
    for (const connection of this.incoming) total += connection.servingCount;
    return total;
  }

  /**
   * Replaces the members of the primary group. Calls to a rank that left or moved fail with DER_OOG or DER_HG.
   * Throws DER_INVAL for a URI that is none, changing nothing.
   */
  setGroup(members: readonly GroupMember[], version = this.group + 1): void {
    for (const { uri } of members) tagAddress(uri, 0);
    const before = this.uriByRank;
    this.uriByRank = new Map(members.map(({ rank, uri }) => [rank, uri]));
    this.members = [...members].sort((a, b) => a.rank - b.rank);
    this.group = version;
    for (const [key, outgoing] of this.outgoing) {
      const rank = Math.floor(key / TAGS_MAX);
      const uri = this.uriByRank.get(rank);
      if (uri === before.get(rank)) continue;
      this.outgoing.delete(key);
      outgoing.close(uri === undefined
        ? new DaosError('OOG', `rank ${rank} left the group`) : new DaosError('HG', `rank ${rank} moved to ${uri}`));
    }
  }

  /** Tells the context its own rank; requests for another one are answered DER_BAD_TARGET from now on. */
  setRank(rank: number): void {
    this.selfRank = rank;
  }

  /** Registers the handler of an RPC. Throws DER_EXIST when its opcode is taken. */
  handle<Req, Rep>(rpc: RpcDef<Req, Rep>, handler: RpcHandler<Req, Rep>): void {
    const other = this.handlers.get(rpc.opcode);
    if (other) throw new DaosError('EXIST', `${rpc.name} has the opcode of ${other.rpc.name}`);
    this.handlers.set(rpc.opcode, { rpc, handler } as unknown as Registration);
  }

  call<Req, Rep>(to: Endpoint, rpc: RpcDef<Req, Rep>, input: Req, options?: CallOptions): Promise<CallResult<Rep>> {
    return new Promise<CallResult<unknown>>((resolve, reject) => {
      const outgoing = this.outgoingTo(to);
      const timeoutMs = Math.min(options?.timeoutMs ?? this.timeoutMs, TIMEOUT_MAX_MS);
      const call = new Call(rpc as unknown as RpcDef<unknown, unknown>, input, to.rank, to.tag,
        this.timer.now() + timeoutMs, timeoutMs, options, resolve, reject);
      const signal = options?.signal;
      if (signal) {
        const abort = (): void => outgoing.cancel(call, new DaosError('CANCELED', `${call.subject}: aborted`));
        if (signal.aborted) return abort();
        call.listenTo(signal, abort);
      }
      outgoing.submit(call);
    }) as Promise<CallResult<Rep>>;
  }

  /** Lets requests in. */
  open(): void {
    this.admission = 'open';
    for (const connection of this.incoming) connection.regulate();
  }

  /**
   * Takes no new connections, answers new requests DER_UNREACH, and waits at most `timeoutMs` until none is being
   * served. False when some still are.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    this.admission = 'draining';
    for (const server of this.servers) server.close();
    const deadline = this.timer.now() + timeoutMs;
    for (const connection of this.incoming) connection.regulate();
    while (this.serving > 0 && this.timer.now() < deadline) {
      await new Promise<void>((resolve) => this.timer.after(1, resolve));
    }
    for (const connection of this.incoming) connection.flush();
    return this.serving === 0;
  }

  /** Closes every connection. Calls on the way fail with DER_CANCELED. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const outgoing of this.outgoing.values()) outgoing.close(new DaosError('CANCELED', 'context closed'));
    const stopped = this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const connection of [...this.incoming]) connection.close(undefined);
    this.timer.close();
    await Promise.all(stopped);
  }

  /** Called once by `cartListen`. */
  async listen(host: string, port: number): Promise<void> {
    assert(!this.listening, 'a context listens once');
    const tcp = await this.listenOn({ host, port }, `${host}:${port}`);
    const bound = tcp.address();
    assert(bound !== null && typeof bound === 'object', 'a TCP server has a port');
    this.listening = { host, port: bound.port };
    const name = unixName(this.listening);
    if (name === undefined) return;
    try {
      await this.listenOn({ path: name }, `the Unix socket of ${host}:${bound.port}`);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  private listenOn(where: { host: string; port: number } | { path: string }, text: string): Promise<Server> {
    const server = createServer((socket) => this.accept(socket));
    server.maxConnections = CONNECTIONS_MAX;
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const der = error.code === 'EADDRINUSE' ? 'BUSY' : 'INVAL';
        reject(new DaosError(der, error.code === 'EADDRINUSE'
          ? `${text} is in use by another process` : `cannot listen on ${text}: ${error.message}`, { cause: error }));
      });
      server.listen(where, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => log.error(`accepting on ${text}: ${error.message}`));
        this.servers.push(server);
        resolve(server);
      });
    });
  }

  private accept(socket: Socket): void {
    if (this.closed) {
      socket.destroy();
      return;
    }
    this.incoming.add(new ServerConnection(socket, this.serverSide));
  }

  private outgoingTo(to: Endpoint): Outgoing {
    const key = to.rank * TAGS_MAX + to.tag;
    if (this.closed) throw new DaosError('CANCELED', 'context closed');
    const known = this.outgoing.get(key);
    if (known) return known;
    const uri = this.uriByRank.get(to.rank);
    if (uri === undefined) throw new DaosError('OOG', `rank ${to.rank} is not in the group (version ${this.group})`);
    const side = {
      flusher: this.flusher,
      stamp: (header: FrameHeader): void => this.stamp(header),
      merge: (hlc: bigint): void => this.merge(hlc),
    };
    const outgoing = new Outgoing(tagAddress(uri, to.tag), side, this.timer, this.inFlightMax);
    this.outgoing.set(key, outgoing);
    return outgoing;
  }

  /** Who and when: clients forward the servers' clock, so that theirs never moves it. */
  private stamp(header: FrameHeader): void {
    header.srcRank = this.selfRank;
    header.srcTag = this.tag;
    header.dstRank = NO_RANK;
    header.dstTag = 0;
    header.groupVersion = this.group;
    header.hlc = this.listening && this.options.hlc ? this.options.hlc.get() : this.serverHlc;
  }

  private merge(hlc: bigint): void {
    if (hlc === 0n) return;
    if (!this.listening && hlc > this.serverHlc) this.serverHlc = hlc;
    try {
      this.options.hlc?.receive(hlc);
    } catch (error) {
      this.clockComplaints.run('', () => log.crit((error as Error).message));
      throw error;
    }
  }

  private account(bytes: number): boolean {
    const wasFull = this.inboundBytes >= INBOUND_BYTES_MAX;
    this.inboundBytes += bytes;
    const isFull = this.inboundBytes >= INBOUND_BYTES_MAX;
    if (wasFull && !isFull) setImmediate(() => this.incoming.forEach((connection) => connection.regulate()));
    return isFull;
  }

  private makeServerSide(): ServerSide {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the getters below need the context
    const context = this;
    return {
      flusher: this.flusher,
      timer: this.timer,
      budget: this.budget,
      pool: this.pool,
      complaints: new RateLimit(COMPLAINT_INTERVAL_MS),
      handlers: this.handlers,
      tag: this.tag,
      get rank() {
        return context.selfRank;
      },
      get admission() {
        return context.admission;
      },
      stamp: (header) => this.stamp(header),
      merge: (hlc) => this.merge(hlc),
      account: (bytes) => this.account(bytes),
      closed: (connection) => this.incoming.delete(connection),
    };
  }
}

function positiveEnv(name: string): number | undefined {
  const value = Number(process.env[name]);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
