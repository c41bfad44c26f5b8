import type { Member } from './member.js';
import type { PoolRecord } from './pool_record.js';

/** Kinds of change, numbered as in DAOS's replicated log. */
export const SystemOp = {
  ADD_MEMBER: 1,
  UPDATE_MEMBER: 2,
  REMOVE_MEMBER: 3,
  ADD_POOL: 4,
  UPDATE_POOL: 5,
  REMOVE_POOL: 6,
  BUMP_MAP_VERSION: 7,
  UPDATE_ATTRIBUTES: 8,
} as const;

/** One change of the system database, as it is logged. Attributes with an empty value are removed. */
export type SystemChange =
  | { readonly op: typeof SystemOp.ADD_MEMBER | typeof SystemOp.UPDATE_MEMBER; readonly member: Member }
  | { readonly op: typeof SystemOp.REMOVE_MEMBER; readonly uuid: string }
  | { readonly op: typeof SystemOp.ADD_POOL | typeof SystemOp.UPDATE_POOL; readonly pool: PoolRecord }
  | { readonly op: typeof SystemOp.REMOVE_POOL; readonly uuid: string }
  | { readonly op: typeof SystemOp.BUMP_MAP_VERSION }
  | { readonly op: typeof SystemOp.UPDATE_ATTRIBUTES; readonly attributes: Readonly<Record<string, string>> };

/** The whole state as a snapshot holds it. */
export interface SystemSnapshot {
  readonly schemaVersion: number;
  readonly version: number;
  readonly nextRank: number;
  readonly mapVersion: number;
  readonly members: readonly Member[];
  readonly pools: readonly PoolRecord[];
  readonly attributes: Readonly<Record<string, string>>;
}

export const SCHEMA_VERSION = 0;

/**
 * The system database's state machine: members, pools, attributes. Pure; the same log of changes always gives the same
 * state, whichever replica applies it.
 */
export class SystemState {
  /** Number of changes applied since the system was made. */
  version = 0;
  /** Rank of the next new member. Rank 0 belongs to engine 0 of the server that made the system. */
  nextRank = 1;
  /** Version of the group map: every change of the membership raises it. */
  mapVersion = 0;
  private readonly membersByUuid = new Map<string, Member>();
  private readonly membersByRank = new Map<number, Member>();
  private readonly poolsByUuid = new Map<string, PoolRecord>();
  private readonly poolsByLabel = new Map<string, PoolRecord>();
  private readonly attributesByKey = new Map<string, string>();

  /** Throws when the change does not fit the state; nothing is changed then. */
  apply(change: SystemChange): void {
    switch (change.op) {
      case SystemOp.ADD_MEMBER:
        this.addMember(change.member);
        break;
      case SystemOp.UPDATE_MEMBER:
        this.updateMember(change.member);
        break;
      case SystemOp.REMOVE_MEMBER:
        this.removeMember(change.uuid);
        break;
      case SystemOp.ADD_POOL:
        this.addPool(change.pool);
        break;
      case SystemOp.UPDATE_POOL:
        this.updatePool(change.pool);
        break;
      case SystemOp.REMOVE_POOL:
        this.removePool(change.uuid);
        break;
      case SystemOp.BUMP_MAP_VERSION:
        this.mapVersion++;
        break;
      case SystemOp.UPDATE_ATTRIBUTES:
        this.updateAttributes(change.attributes);
        break;
      default:
        throw new Error(`unknown change ${JSON.stringify(change)}`);
    }
    this.version++;
  }

  get members(): readonly Member[] {
    return [...this.membersByRank.values()].sort((a, b) => a.rank - b.rank);
  }
  memberByRank(rank: number): Member | undefined {
    return this.membersByRank.get(rank);
  }
  memberByUuid(uuid: string): Member | undefined {
    return this.membersByUuid.get(uuid);
  }

  get pools(): readonly PoolRecord[] {
    return [...this.poolsByUuid.values()];
  }
  poolByUuid(uuid: string): PoolRecord | undefined {
    return this.poolsByUuid.get(uuid.toLowerCase());
  }
  poolByLabel(label: string): PoolRecord | undefined {
    return this.poolsByLabel.get(label);
  }

  get attributes(): ReadonlyMap<string, string> {
    return this.attributesByKey;
  }

  snapshot(): SystemSnapshot {
    return {
      schemaVersion: SCHEMA_VERSION,
      version: this.version,
      nextRank: this.nextRank,
      mapVersion: this.mapVersion,
      members: this.members,
      pools: this.pools,
      attributes: Object.fromEntries(this.attributesByKey),
    };
  }

  static restore(snapshot: SystemSnapshot): SystemState {
    if (snapshot.schemaVersion !== SCHEMA_VERSION) {
      throw new Error(
        `system database has schema version ${snapshot.schemaVersion}; this server knows ${SCHEMA_VERSION}`,
      );
    }
    const state = new SystemState();
    for (const member of snapshot.members) state.addMember(member);
    for (const pool of snapshot.pools) state.addPool(pool);
    state.updateAttributes(snapshot.attributes);
    state.version = snapshot.version;
    state.nextRank = snapshot.nextRank;
    state.mapVersion = snapshot.mapVersion;
    return state;
  }

  private addMember(member: Member): void {
    if (this.membersByUuid.has(member.uuid)) throw new Error(`member ${member.uuid} exists`);
    if (this.membersByRank.has(member.rank)) throw new Error(`rank ${member.rank} exists`);
    this.membersByUuid.set(member.uuid, member);
    this.membersByRank.set(member.rank, member);
    this.nextRank = Math.max(this.nextRank, member.rank + 1);
    this.mapVersion++;
  }

  private updateMember(member: Member): void {
    const old = this.membersByRank.get(member.rank);
    if (!old) throw new Error(`rank ${member.rank} is no member`);
    this.membersByUuid.delete(old.uuid);
    this.membersByUuid.set(member.uuid, member);
    this.membersByRank.set(member.rank, member);
    this.mapVersion++;
  }

  private removeMember(uuid: string): void {
    const member = this.membersByUuid.get(uuid);
    if (!member) return;
    this.membersByUuid.delete(uuid);
    this.membersByRank.delete(member.rank);
    this.mapVersion++;
  }

  private addPool(pool: PoolRecord): void {
    if (this.poolsByUuid.has(pool.uuid)) throw new Error(`pool ${pool.uuid} exists`);
    if (this.poolsByLabel.has(pool.label)) throw new Error(`pool label ${pool.label} exists`);
    this.poolsByUuid.set(pool.uuid, pool);
    if (pool.label !== '') this.poolsByLabel.set(pool.label, pool);
  }

  private updatePool(pool: PoolRecord): void {
    const old = this.poolsByUuid.get(pool.uuid);
    if (!old) throw new Error(`pool ${pool.uuid} is unknown`);
    const holder = this.poolsByLabel.get(pool.label);
    if (holder && holder.uuid !== pool.uuid) throw new Error(`pool label ${pool.label} exists`);
    this.poolsByLabel.delete(old.label);
    this.poolsByUuid.set(pool.uuid, pool);
    if (pool.label !== '') this.poolsByLabel.set(pool.label, pool);
  }

  private removePool(uuid: string): void {
    const pool = this.poolsByUuid.get(uuid);
    if (!pool) return;
    this.poolsByUuid.delete(uuid);
    this.poolsByLabel.delete(pool.label);
  }

  private updateAttributes(attributes: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(attributes)) {
      if (value === '') this.attributesByKey.delete(key);
      else this.attributesByKey.set(key, value);
    }
  }
}
