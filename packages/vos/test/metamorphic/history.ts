import { isDaosError, type DerName, type Epoch } from '@daos/common';

import type { KeyFlavours } from '../../src/index.js';
import { Model } from './model.js';

/** Thrown when VOS and the model disagree; the first words say what about. */
export class Mismatch extends Error {}

/** One modification as the model does it. */
export interface Change {
  readonly text: string;
  /** The transaction that it belongs to; 0: none. */
  readonly tx: number;
  readonly epoch: Epoch;
  readonly apply: (model: Model) => void;
}

/** A state that the container may be in, and the changes that lead there. */
interface Candidate {
  readonly base: readonly Change[];
  readonly model: Model;
}

/** More states than this are not told apart by looking at them: the program is badly made. */
const CANDIDATES_MAX = 64;

/**
 * What is known of a container: the changes that were made, and how many of them were acknowledged. After a crash it
 * is in one of the states between the two. Usually one look tells which; where nobody can see a difference yet,
 * several candidates stay until an answer rules them out. None left: VOS is wrong.
 */
export class History {
  private candidates: Candidate[];
  /** Changes since the last restart. */
  private recent: Change[] = [];
  private acknowledged = 0;

  constructor(private readonly flavours: KeyFlavours) {
    this.candidates = [{ base: [], model: new Model(flavours) }];
  }

  /** The most likely state. */
  get model(): Model {
    return (this.candidates[0] as Candidate).model;
  }

  /** Changes that a crash may still take back. */
  get unacknowledged(): readonly Change[] {
    return this.recent.slice(this.acknowledged);
  }

  /** An answer that only some candidates give. */
  answer(what: string, got: unknown, want: (model: Model) => unknown): void {
    const seen = text(got);
    const right = this.candidates.filter(({ model }) => text(want(model)) === seen);
    if (right.length === 0) throw new Mismatch(`${what}: got ${seen}, want ${this.wanted(want)}`);
    this.candidates = right;
  }

  /** An answer of an index that is down: what was not acknowledged may be in it or not. */
  answerOfRuin(what: string, got: unknown, want: (model: Model) => unknown): void {
    const seen = text(got);
    const states = this.candidates.flatMap(({ base }) => {
      return Array.from({ length: this.unacknowledged.length + 1 }, (_, more) => this.replay([...base, ...this.recent.slice(0, this.acknowledged + more)]));
    });
    if (states.some((model) => text(want(model)) === seen)) return;
    throw new Mismatch(`${what} of an index that is down: got ${seen}, want ${states.map((model) => text(want(model))).join(' or ')}`);
  }

  /** A modification was refused although or because of `reasons`. `isTolerated`: also for no reason of the model's. */
  refused(error: unknown, reasons: (model: Model) => Set<DerName>, isTolerated: boolean): void {
    const right = this.candidates.filter(({ model }) => isDaosError(error, ...reasons(model)));
    if (right.length > 0) this.candidates = right;
    else if (!isTolerated) throw new Mismatch(`refusal: got ${String(error)}, want ${this.wanted((model) => [...reasons(model)])}`);
  }

  /** A modification was accepted: is made, and may be lost until it is acknowledged. */
  accepted(change: Change, reasons: (model: Model) => Set<DerName>): number {
    const right = this.candidates.filter(({ model }) => reasons(model).size === 0);
    if (right.length === 0) throw new Mismatch(`refusal: got accepted, want ${this.wanted((model) => [...reasons(model)])}`);
    this.candidates = right;
    for (const { model } of right) change.apply(model);
    return this.recent.push(change);
  }

  /** The first `count` changes since the restart are durable. */
  acknowledge(count: number): void {
    if (count > this.acknowledged) this.acknowledged = count;
  }

  acknowledgeAll(): void {
    this.acknowledged = this.recent.length;
  }

  /**
   * After a restart: the states in which `got` was seen, row by row. The result is how many unacknowledged changes
   * were kept.
   */
  restarted(got: readonly string[], want: (model: Model) => readonly string[]): number {
    const found: Candidate[] = [];
    let kept = 0;
    for (let count = this.recent.length; count >= this.acknowledged; count--) {
      const survivors = this.recent.slice(0, count);
      for (const { base } of this.candidates) {
        const changes = [...base, ...survivors, restartAfter([...base, ...survivors])];
        const model = this.replay(changes);
        if (differences(got, want(model)).length > 0) continue;
        found.push({ base: changes, model });
        kept = Math.max(kept, count - this.acknowledged);
      }
    }
    if (found.length === 0) throw new Mismatch(this.noState(got, want));
    if (found.length > CANDIDATES_MAX) throw new Error(`${found.length} states look the same`);
    this.candidates = found;
    this.recent = [];
    this.acknowledged = 0;
    return kept;
  }

  private replay(changes: readonly Change[]): Model {
    const model = new Model(this.flavours);
    for (const { apply } of changes) apply(model);
    return model;
  }

  private noState(got: readonly string[], want: (model: Model) => readonly string[]): string {
    const { base } = this.candidates[0] as Candidate;
    const lines = [`restart: in no state from ${this.acknowledged} to ${this.recent.length} changes`];
    for (let count = this.acknowledged; count <= this.recent.length; count++) {
      const changes = [...base, ...this.recent.slice(0, count)];
      const wanted = want(this.replay([...changes, restartAfter(changes)]));
      lines.push(`${count} (${this.recent[count - 1]?.text ?? 'none'}): ${differences(got, wanted).slice(0, 4).join('; ')}`);
    }
    return lines.join('\n');
  }

  private wanted(want: (model: Model) => unknown): string {
    return [...new Set(this.candidates.map(({ model }) => text(want(model))))].join(' or ');
  }
}

/** What a restart does to transactions that were not prepared. */
function restartAfter(changes: readonly Change[]): Change {
  const transactions = new Set(changes.map(({ tx }) => tx).filter((tx) => tx !== 0));
  return { text: 'restart', tx: 0, epoch: 0n, apply: (model) => model.dropUnprepared(transactions) };
}

function differences(got: readonly string[], want: readonly string[]): string[] {
  return want.flatMap((row, i) => (row === got[i] ? [] : [`got ${got[i] ?? '-'}, want ${row}`]));
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)) ?? 'undefined';
}
