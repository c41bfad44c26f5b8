import type { Epoch, Uuid } from '@daos/common';
import { LruMap } from '@daos/gurt';

/**
 * Remembers which modifications a target has executed, so that one that is sent again after its reply was lost is not
 * executed twice. Bounded: the newest modifications of the most recent clients; the cost of an entry is two array
 * writes. What was forgotten, or executed before the engine started, is unknown here (`since` tells the two apart
 * from "never seen").
 *
 * Life of an entry: `begin` when the modification is applied, `finish` when it is durable or refused. A refused one is
 * forgotten: refusing leaves no trace, so executing it again is right.
 */
const CLIENTS_MAX = 1024;
const ENTRIES_FIRST = 64;
const ENTRIES_MAX = 4096;

const State = { FREE: 0, EXECUTING: 1, DONE: 2 } as const;

export type ResendState = 'unknown' | 'executing' | 'done';

export class ResendTable {
  private readonly clients = new LruMap<Uuid, ClientLog>(CLIENTS_MAX);
  private lastClient: Uuid | undefined;
  private lastLog = new ClientLog();

  /** `since`: clock reading when the table was made; earlier modifications cannot be known. */
  constructor(readonly since: Epoch) {}

  lookup(client: Uuid, hlc: Epoch): ResendState {
    return this.logOf(client).lookup(hlc);
  }

  begin(client: Uuid, hlc: Epoch): ResendEntry {
    return this.logOf(client).begin(hlc);
  }

  private logOf(client: Uuid): ClientLog {
    if (client === this.lastClient) return this.lastLog;
    let log = this.clients.get(client);
    if (!log) {
      log = new ClientLog();
      this.clients.set(client, log);
    }
    this.lastClient = client;
    this.lastLog = log;
    return log;
  }
}

/** One modification being executed. */
export class ResendEntry {
  constructor(
    private readonly log: ClientLog,
    private readonly index: number,
    private readonly hlc: Epoch,
  ) {}

  finish(done: boolean): void {
    this.log.finish(this.index, this.hlc, done);
  }
}

/** Ring of the newest modifications of one client. */
class ClientLog {
  private hlcs = new BigUint64Array(ENTRIES_FIRST);
  private states = new Uint8Array(ENTRIES_FIRST);
  private next = 0;

  begin(hlc: Epoch): ResendEntry {
    if (this.next === this.states.length) this.growOrWrap();
    const index = this.next++;
    this.hlcs[index] = hlc;
    this.states[index] = State.EXECUTING;
    return new ResendEntry(this, index, hlc);
  }

  /** Does nothing when the entry was overwritten in the meantime. */
  finish(index: number, hlc: Epoch, done: boolean): void {
    if (this.hlcs[index] === hlc) this.states[index] = done ? State.DONE : State.FREE;
  }

  lookup(hlc: Epoch): ResendState {
    for (let i = this.hlcs.indexOf(hlc); i >= 0; i = this.hlcs.indexOf(hlc, i + 1)) {
      if (this.states[i] === State.EXECUTING) return 'executing';
      if (this.states[i] === State.DONE) return 'done';
    }
    return 'unknown';
  }

  private growOrWrap(): void {
    if (this.states.length >= ENTRIES_MAX) {
      this.next = 0;
      return;
    }
    const hlcs = new BigUint64Array(this.hlcs.length * 2);
    hlcs.set(this.hlcs);
    const states = new Uint8Array(this.states.length * 2);
    states.set(this.states);
    this.hlcs = hlcs;
    this.states = states;
  }
}
