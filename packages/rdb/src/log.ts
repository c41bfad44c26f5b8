import type { RdbReplicaId } from './store.js';

/** A log entry that a majority holds. */
export interface CommittedEntry {
  readonly index: number;
  readonly term: number;
  readonly data: Uint8Array;
}

/** What the log drives: the state machine above it. */
export interface RdbLogHost {
  /**
   * Applies committed entries, in log order, inside the log's storage transaction; returns one result per entry (the
   * deterministic error it gave, or undefined).
   */
  apply(entries: readonly CommittedEntry[]): (Error | undefined)[];
  /** This replica leads in `term` and its first entry of the term is applied. */
  ledBySelf(term: number): void;
  /** This replica leads no longer. Proposals without an outcome fail with DER_NOTLEADER: they may still commit. */
  ledByOther(term: number): void;
  /** The log cannot go on (storage is broken). */
  failed(error: Error): void;
}

/**
 * The ordered log under a database. It accepts entries on the leader, makes them durable on a majority of replicas and
 * hands them to the host everywhere in the same order. One implementation has a single replica; a consensus protocol
 * is another one.
 */
export interface RdbLog {
  readonly term: number;
  readonly isLeader: boolean;
  /** Who leads, as far as this replica knows. */
  leader(): { readonly replica: RdbReplicaId; readonly term: number } | undefined;
  replicas(): readonly RdbReplicaId[];
  start(host: RdbLogHost): void;
  /**
   * Appends an entry in `term`; resolves when it is committed and applied. Rejects with the entry's deterministic
   * error, DER_NOTLEADER (outcome unknown) or DER_NOSPACE / DER_BUSY (not appended).
   */
  propose(term: number, data: Uint8Array): Promise<void>;
  /** Resolves when this replica is sure to lead in `term` still; DER_NOTLEADER otherwise. */
  confirmLeadership(term: number): Promise<void>;
  /** Gives up leadership of `term`; nothing when it does not lead in it. */
  resign(term: number): void;
  /** Adopts the term of a caller. DER_STALE when it is older than this replica's. */
  ping(callerTerm: number): void;
  /** Fails what is pending with DER_CANCELED. */
  stop(): void;
}
