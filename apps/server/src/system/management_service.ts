import { networkInterfaces } from 'node:os';
import { lookup } from 'node:dns/promises';

import { NotReplicaError, Sentinel, type ControlLog } from '@daos/control';
import { JoinResp_State, type JoinReq } from '@daos/proto/mgmt/svc';

import type { JoinOutcome } from '../harness/instance.js';
import { GroupUpdater, type GroupSender } from './group_updater.js';
import { ATTR_PROVIDERS, isSameServer, joinAddress, planJoin, providerOfUri } from './join.js';
import { isLeftOutOfGroup } from './member.js';
import { SystemDb } from './system_db.js';
import { LmdbSystemLog } from './system_log.js';

export interface ManagementServiceOptions {
  /** `host:port` of all replicas. */
  readonly replicas: readonly string[];
  /** This server's own control address, `ip:port`. */
  readonly ownAddress: string;
  readonly log: ControlLog;
  readonly groupSender: GroupSender;
}

/**
 * The management service as this server takes part in it: the replica holds the system database and leads; all others
 * know where the replica is.
 *
 * 1. `start` finds out whether this server is the replica.
 * 2. `openDb` opens the database once the storage it lives on is formatted; `requireLeader` throws until then.
 * 3. `close` ends it.
 */
export class ManagementService {
  private db: SystemDb | undefined;
  private isReplica = false;
  private needsFormat = false;
  private joins: Promise<unknown> = Promise.resolve();
  readonly groupUpdater: GroupUpdater;

  constructor(private readonly options: ManagementServiceOptions) {
    this.groupUpdater = new GroupUpdater(() => this.db?.state, options.groupSender, options.log);
  }

  async start(): Promise<void> {
    this.isReplica = await includesOwnAddress(this.options.replicas, this.options.ownAddress);
  }

  get replicas(): readonly string[] {
    return this.options.replicas;
  }
  get leaderAddress(): string {
    return this.isReplica ? this.options.ownAddress : (this.options.replicas[0] ?? '');
  }
  get ownAddress(): string {
    return this.options.ownAddress;
  }
  get runsReplica(): boolean {
    return this.isReplica;
  }

  /** The storage that holds the database waits for a format. */
  markNeedsFormat(): void {
    this.needsFormat = true;
  }

  /** Opens the database in `folder`. Members of this host cannot be running yet: the engines come after it. */
  async openDb(folder: string): Promise<void> {
    if (this.db || !this.isReplica) return;
    const db = SystemDb.open(await LmdbSystemLog.open(folder));
    for (const member of db.state.members) {
      if (!isSameServer(member.address, this.options.ownAddress)) continue;
      await db.updateMember(
        member.rank,
        ({ state }) =>
          state === 'Joined' || state === 'Ready' || state === 'Starting'
            ? { state: 'Stopped', info: 'daos_server was restarted' }
            : undefined,
      );
    }
    this.needsFormat = false;
    this.db = db;
    this.options.log.info(`MS leader running on ${this.options.ownAddress}`);
    this.groupUpdater.start();
  }

  /** The database, on the leader. Throws what tells a client where to go, or to wait. */
  requireLeader(): SystemDb {
    if (!this.isReplica) throw new NotReplicaError(this.options.replicas);
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

/** True when one of the addresses is this host's, with this server's port. */
async function includesOwnAddress(replicas: readonly string[], ownAddress: string): Promise<boolean> {
  const ownPort = ownAddress.slice(ownAddress.lastIndexOf(':') + 1);
  const local = new Set(
    Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address)),
  );
  for (const replica of replicas) {
    const split = replica.lastIndexOf(':');
    if (replica.slice(split + 1) !== ownPort) continue;
    const addresses = await lookup(replica.slice(0, split), { all: true, family: 4 }).catch(() => []);
    if (addresses.some(({ address }) => local.has(address) || address.startsWith('127.'))) return true;
  }
  return false;
}
