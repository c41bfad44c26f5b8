import { TAG_SYSTEM } from '@daos/cart';
import { DaosError, PoolCapability, PoolConnectFlag, PoolMap, isDaosError, type Uuid } from '@daos/common';

import { checkAttrNames, checkAttrs } from '../attr.js';
import { infoFromWire, targetInfoFromWire } from '../info_wire.js';
import { propsFromWire } from '../props_wire.js';
import {
  POOL_ATTR_DEL,
  POOL_ATTR_GET,
  POOL_ATTR_LIST,
  POOL_ATTR_SET,
  POOL_DISCONNECT,
  POOL_LIST_CONT,
  POOL_QUERY,
  POOL_QUERY_INFO,
  POOL_TGT_QUERY_MAP,
} from '../rpc.js';
import type { ServiceRpc } from '../service_rpc.js';
import {
  PoolQueryBit,
  type PoolContainer,
  type PoolQueryResult,
  type PoolTargetInfo,
  type PropEntry,
} from '../types.js';
import type { DcPool } from './pool.js';
import { dcRsvcCall, type ServiceAnswer, type ServicePeer } from './service_call.js';
import type { DcOptions, DcSystem } from './system.js';

const QUERY_BITS_DEFAULT =
  PoolQueryBit.SPACE |
  PoolQueryBit.REBUILD_STATUS |
  PoolQueryBit.ENGINES_ENABLED |
  PoolQueryBit.ENGINES_DISABLED;

/** What a connect gave. */
export interface ConnectedPool {
  readonly system: DcSystem;
  readonly peer: ServicePeer;
  readonly label: string | undefined;
  readonly handle: Uuid;
  readonly flags: number;
  readonly capas: number;
  readonly map: PoolMap;
}

export class PoolHandle implements DcPool {
  readonly system: DcSystem;
  readonly uuid: Uuid;
  readonly label: string | undefined;
  readonly handle: Uuid;
  readonly flags: number;
  private readonly capas: number;
  private readonly peer: ServicePeer;
  private current: PoolMap;
  /** Newest version seen in any reply. */
  private noted: number;
  private refreshing: Promise<PoolMap> | undefined;
  private disconnected = false;

  constructor(connected: ConnectedPool) {
    this.system = connected.system;
    this.peer = connected.peer;
    this.uuid = connected.peer.pool;
    this.label = connected.label;
    this.handle = connected.handle;
    this.flags = connected.flags;
    this.capas = connected.capas;
    this.current = connected.map;
    this.noted = connected.map.version;
  }

  get writable(): boolean {
    return (this.flags & PoolConnectFlag.RO) === 0 && (this.capas & PoolCapability.CREATE_CONT) !== 0;
  }

  get map(): PoolMap {
    return this.current;
  }

  get mapVersion(): number {
    return this.current.version;
  }

  noteMapVersion(version: number): void {
    if (version > this.noted) this.noted = version;
  }

  refreshMap(options: DcOptions = {}): Promise<PoolMap> {
    this.refreshing ??= this.fetchMap(options).finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  async call<Req, Rep>(
    rpc: ServiceRpc<Req, Rep>,
    body: Req,
    options: DcOptions = {},
  ): Promise<ServiceAnswer<Rep>> {
    if (this.disconnected)
      throw new DaosError('NO_HDL', `the handle of pool ${this.label ?? this.uuid} is disconnected`);
    const answer = await dcRsvcCall(this.peer, rpc, this.handle, body, options);
    this.noteMapVersion(answer.mapVersion);
    return answer;
  }

  async query(options: DcOptions & { bits?: number } = {}): Promise<PoolQueryResult> {
    const body = { bits: options.bits ?? QUERY_BITS_DEFAULT, mapVersion: this.mapVersion };
    const answer = await this.call(POOL_QUERY, body, options);
    this.adoptMap(answer);
    return infoFromWire(answer.body.info);
  }

  async queryTarget(rank: number, target: number, options: DcOptions = {}): Promise<PoolTargetInfo> {
    const { body } = await this.call(POOL_QUERY_INFO, { rank, targets: [target] }, options);
    const info = body.infos[0];
    if (!info) throw new DaosError('PROTO', 'the reply tells of no target');
    return targetInfoFromWire(info);
  }

  async getProps(numbers: readonly number[] = [], options: DcOptions = {}): Promise<PropEntry[]> {
    const { body } = await this.call(
      POOL_QUERY,
      { bits: 0, mapVersion: this.noted, props: numbers },
      options,
    );
    return propsFromWire(body.props);
  }

  async listContainers(options: DcOptions = {}): Promise<PoolContainer[]> {
    const { body } = await this.call(POOL_LIST_CONT, {}, options);
    return body.containers.map(({ uuid, label }) => ({ uuid, label }));
  }

  async setAttrs(attrs: Readonly<Record<string, Uint8Array>>, options: DcOptions = {}): Promise<void> {
    const list = Object.entries(attrs).map(([name, value]) => ({ name, value }));
    checkAttrs(list);
    await this.call(POOL_ATTR_SET, { attrs: list }, options);
  }

  async getAttrs(names: readonly string[], options: DcOptions = {}): Promise<(Uint8Array | undefined)[]> {
    checkAttrNames(names);
    const { body } = await this.call(POOL_ATTR_GET, { names }, options);
    return [...body.values];
  }

  async listAttrs(options: DcOptions = {}): Promise<string[]> {
    return [...(await this.call(POOL_ATTR_LIST, {}, options)).body.names];
  }

  async delAttrs(names: readonly string[], options: DcOptions = {}): Promise<void> {
    checkAttrNames(names);
    await this.call(POOL_ATTR_DEL, { names }, options);
  }

  async disconnect(options: DcOptions = {}): Promise<void> {
    await this.call(POOL_DISCONNECT, {}, options);
    this.disconnected = true;
  }

  /** Asks a rank of the pool; the service when that one does not answer. */
  private async fetchMap(options: DcOptions): Promise<PoolMap> {
    const ranks = this.current.enabledRanks();
    const rank = ranks[Math.floor(Math.random() * ranks.length)];
    try {
      if (rank !== undefined) await this.fetchMapFrom(rank, options);
    } catch (error) {
      if (!(error instanceof DaosError) || isDaosError(error, 'CANCELED')) throw error;
    }
    if (this.current.version >= this.noted) return this.current;
    this.adoptMap(await this.call(POOL_QUERY, { bits: 0, mapVersion: this.mapVersion }, options));
    return this.current;
  }

  private async fetchMapFrom(rank: number, options: DcOptions): Promise<void> {
    const result = await this.system.cart.call(
      { rank, tag: TAG_SYSTEM },
      POOL_TGT_QUERY_MAP,
      { pool: this.uuid, version: this.mapVersion },
      {
        timeoutMs: Math.min(options.timeoutMs ?? MAP_TIMEOUT_MS, MAP_TIMEOUT_MS),
        ...(options.signal ? { signal: options.signal } : {}),
      },
    );
    this.adoptMap({ mapVersion: result.output.version, data: result.data });
  }

  private adoptMap({ mapVersion, data }: { readonly mapVersion: number; readonly data: Uint8Array }): void {
    this.noteMapVersion(mapVersion);
    if (data.length === 0 || mapVersion <= this.current.version) return;
    this.current = PoolMap.decode(data, mapVersion);
  }
}

const MAP_TIMEOUT_MS = 10_000;
