import { getLogger } from '@daos/gurt';
import { DaosError, isDaosError, type Uuid } from '@daos/common';
import { RdbReplica } from '@daos/rdb';

import { NotLeaderError, notReplica } from './not_leader.js';
import { RsvcService, type RsvcLeader } from './service.js';

/** A class of replicated services: pool services are one. */
export interface RsvcClass<L extends RsvcLeader> {
  /** For messages. */
  name(id: Uuid): string;
  /** Path of the database of a service. */
  locate(id: Uuid): string;
  leader(id: Uuid, service: () => RsvcService<L>): L;
}

export interface RsvcStartOptions {
  /** Term of the caller; a replica that knows a newer one answers DER_STALE. */
  readonly callerTerm?: number | undefined;
}

const log = getLogger('rsvc');

/** The services of one class on this rank. */
export class RsvcRegistry<L extends RsvcLeader> {
  private readonly services = new Map<Uuid, RsvcService<L>>();
  /** Services that start or stop now: one such change at a time each. */
  private readonly changing = new Map<Uuid, Promise<void>>();

  constructor(private readonly kind: RsvcClass<L>) {}

  /** Starts the replica whose database is on this rank. DER_ALREADY when it runs; DER_NOTREPLICA without a database. */
  start(id: Uuid, options: RsvcStartOptions = {}): Promise<void> {
    return this.change(id, async () => {
      this.checkRunning(id, options);
      const path = this.kind.locate(id);
      if (!RdbReplica.exists(path)) throw notReplica(this.kind.name(id));
      await this.run(id, await RdbReplica.open({ path, uuid: id }));
    });
  }

  /** Makes the database of a sole replica and starts it. One that exists is started: a repeated create is no error. */
  create(
    id: Uuid,
    rank: number,
    options: RsvcStartOptions & { capacityBytes?: number | undefined } = {},
  ): Promise<void> {
    return this.change(id, async () => {
      this.checkRunning(id, options);
      const params = { path: this.kind.locate(id), uuid: id };
      await this.run(id, await this.createOrOpen(params, rank, options.capacityBytes));
    });
  }

  /** Stops a replica, and removes its database when asked. An unknown one is no error. DER_STALE as for `start`. */
  stop(id: Uuid, options: RsvcStartOptions & { destroy?: boolean } = {}): Promise<void> {
    return this.change(id, async () => {
      const service = this.services.get(id);
      if (service && options.callerTerm !== undefined) service.rdb.ping(options.callerTerm);
      this.services.delete(id);
      await service?.stop();
      if (options.destroy) await RdbReplica.destroy(this.kind.locate(id));
    });
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.services.keys()].map((id) => this.stop(id)));
  }

  ids(): Uuid[] {
    return [...this.services.keys()];
  }

  /** DER_NOTREPLICA when nothing is here; DER_NOTLEADER when the database is, but does not run. */
  lookup(id: Uuid): RsvcService<L> {
    const service = this.services.get(id);
    if (service) return service;
    const name = this.kind.name(id);
    throw RdbReplica.exists(this.kind.locate(id)) ? new NotLeaderError(name, undefined) : notReplica(name);
  }

  private checkRunning(id: Uuid, options: RsvcStartOptions): void {
    const service = this.services.get(id);
    if (!service) return;
    if (options.callerTerm !== undefined) service.rdb.ping(options.callerTerm);
    throw new DaosError('ALREADY', `${this.kind.name(id)} runs already`);
  }

  private async createOrOpen(
    params: { path: string; uuid: Uuid },
    rank: number,
    capacityBytes: number | undefined,
  ): Promise<RdbReplica> {
    try {
      return RdbReplica.create({ ...params, self: { rank, generation: 1 }, capacityBytes });
    } catch (error) {
      if (!isDaosError(error, 'EXIST')) throw error;
    }
    try {
      return await RdbReplica.open(params);
    } catch (error) {
      // An interrupted creation holds nothing: begin again.
      if (!isDaosError(error, 'DF_INVAL')) throw error;
      await RdbReplica.destroy(params.path);
      return RdbReplica.create({ ...params, self: { rank, generation: 1 }, capacityBytes });
    }
  }

  private async run(id: Uuid, rdb: RdbReplica): Promise<void> {
    const service: RsvcService<L> = new RsvcService<L>(
      id,
      this.kind.name(id),
      rdb,
      this.kind.leader(id, () => service),
      (error) => {
        log.error(`${this.kind.name(id)} stops: ${error.message}`);
        void this.stop(id).catch((failure: unknown) =>
          log.error(`${this.kind.name(id)}: ${String(failure)}`),
        );
      },
    );
    this.services.set(id, service);
    await service.start();
  }

  private async change(id: Uuid, work: () => Promise<void>): Promise<void> {
    const before = this.changing.get(id) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(work);
    this.changing.set(id, mine);
    try {
      await mine;
    } finally {
      if (this.changing.get(id) === mine) this.changing.delete(id);
    }
  }
}
