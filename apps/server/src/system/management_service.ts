import { NotReplicaError, Sentinel, type ControlLog } from '@daos/control';
import { JoinResp_State, type JoinReq } from '@daos/proto/mgmt/svc';

import type { JoinOutcome } from '../harness/instance.js';
import { GroupUpdater, type GroupSender } from './group_updater.js';
import { ATTR_PROVIDERS, joinAddress, planJoin, providerOfUri } from './join.js';
import { isLeftOutOfGroup } from './member.js';
import { SystemDb } from './system_db.js';
import { LmdbSystemLog } from './system_log.js';

export interface ManagementServiceOptions {
  /** `host:port` of all replicas. */
  readonly replicas: readonly string[];
  /** This server's own control address, `ip:port`. */
  readonly ownAddress: string;
  /** This server is one of the replicas. */
  readonly isReplica: boolean;
  readonly log: ControlLog;
  /** UUIDs of this host's engines, as far as their storage is formatted. */
  readonly localUuids: () => ReadonlySet<string>;
  readonly groupSender: GroupSender;
}

/**
 * The management service as this server takes part in it: the replica holds the system database and leads; all others
 * know where the replica is.
 *
 * 1. `openDb` opens the database once the storage it lives on is formatted; `requireLeader` throws until then.
 * 2. `close` ends it.
 */
export class ManagementService {
  private db: SystemDb | undefined;
  private needsFormat = false;
  private joins: Promise<unknown> = Promise.resolve();
  readonly groupUpdater: GroupUpdater;

  constructor(private readonly options: ManagementServiceOptions) {
    this.groupUpdater = new GroupUpdater(() => this.db?.state, options.groupSender, options.log);
  }

  get replicas(): readonly string[] {
    return this.options.replicas;
  }
  get leaderAddress(): string {
    return this.options.isReplica ? this.options.ownAddress : (this.options.replicas[0] ?? '');
  }
  get ownAddress(): string {
    return this.options.ownAddress;
  }
  get runsReplica(): boolean {
    return this.options.isReplica;
  }

  /** The storage that holds the database waits for a format. */
  markNeedsFormat(): void {
    this.needsFormat = true;
  }

  /** Opens the database in `folder`. Members of this host cannot be running yet: the engines come after it. */
  async openDb(folder: string): Promise<void> {
    if (this.db || !this.options.isReplica) return;
    const db = SystemDb.open(await LmdbSystemLog.open(folder));
    await this.adoptLocalMembers(db);
    this.needsFormat = false;
    this.db = db;
    this.options.log.info(`MS leader running on ${this.options.ownAddress}`);
    this.groupUpdater.start();
  }

  /** The control port may be another one than last time, and engines of this host do not run yet. */
  private async adoptLocalMembers(db: SystemDb): Promise<void> {
    const local = this.options.localUuids();
    const running = new Set(['Joined', 'Ready', 'Starting', 'Stopping']);
    for (const { rank, uuid } of db.state.members) {
      if (!local.has(uuid)) continue;
      await db.updateMember(rank, ({ state, address }) => {
        const stopped = running.has(state) &&
          { state: 'Stopped' as const, info: 'daos_server was restarted' };
        if (!stopped && address === this.options.ownAddress) return undefined;
        return { address: this.options.ownAddress, ...stopped };
      });
    }
  }

  /** The database, on the leader. Throws what tells a client where to go, or to wait. */
  requireLeader(): SystemDb {
    if (!this.options.isReplica) throw new NotReplicaError(this.options.replicas);
    if (this.db) return this.db;
    throw new Error(this.needsFormat ? Sentinel.UNINITIALIZED : Sentinel.RAFT_UNAVAILABLE);
  }

  /** The database where it may only be read; with one replica the same as the leader's. */
  requireReplica(): SystemDb {
    return this.requireLeader();
  }

  /** The database if this server holds it. */
  get localDb(): SystemDb | undefined {
    return this.db;
  }

  /** Takes an engine into the system. One at a time: ranks are given in order. */
  join(request: JoinReq, peer: string): Promise<JoinOutcome & { isNew: boolean; faultDomain: string }> {
    const run = this.joins.then(() => this.joinOne(request, peer));
    this.joins = run.catch(() => undefined);
    return run;
  }

  private async joinOne(
    request: JoinReq,
    peer: string,
  ): Promise<JoinOutcome & { isNew: boolean; faultDomain: string }> {
    const db = this.requireLeader();
    const address = joinAddress(request.addr, peer);
    const mayBeRankZero = address === this.options.ownAddress && request.idx === 0;
    let joined = { rank: 0, isNew: false };
    await db.commit((state) => {
      const plan = planJoin(state, request, address, mayBeRankZero);
      joined = plan;
      return plan.change;
    });
    if (!db.state.attributes.has(ATTR_PROVIDERS)) {
      await db.setAttributes({ [ATTR_PROVIDERS]: providerOfUri(request.uri) });
    }
    const member = db.state.memberByRank(joined.rank);
    this.options.log.info(
      `rank ${joined.rank} (${address}) ${joined.isNew ? 'joined the system' : 'rejoined the system'}`,
    );
    this.groupUpdater.request();
    return {
      ...joined,
      mapVersion: db.state.mapVersion,
      excluded: member === undefined || isLeftOutOfGroup(member),
      faultDomain: request.srvFaultDomain,
    };
  }

  async close(): Promise<void> {
    await this.groupUpdater.stop();
    await this.joins;
    await this.db?.close();
    this.db = undefined;
  }
}

export function joinStateToWire(outcome: JoinOutcome): JoinResp_State {
  return outcome.excluded ? JoinResp_State.OUT : JoinResp_State.IN;
}
