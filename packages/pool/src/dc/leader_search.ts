import { systemRandom, type Random } from '@daos/gurt';
import { DaosError } from '@daos/common';

/** What one try gave, as far as the search is concerned. */
export interface TryOutcome {
  /** Error of the transport, when there was no reply. */
  readonly transport?: DaosError | undefined;
  /** Status of the service (negative, or 0) when there was a reply. */
  readonly status?: number | undefined;
  readonly hint?: { readonly rank: number; readonly term: number } | undefined;
}

const NOTLEADER = -DaosError.codeOf('NOTLEADER');
const NOTREPLICA = -DaosError.codeOf('NOTREPLICA');

/**
 * Where a replicated service's leader is, as a client of it learns: from hints in replies, else by asking one rank
 * after another.
 */
export class LeaderSearch {
  private ranks: number[];
  private known: { index: number; term: number; aliveness: number } | undefined;
  private next: number;

  constructor(
    ranks: readonly number[],
    private readonly random: Random = systemRandom,
  ) {
    this.ranks = [...new Set(ranks)].sort((a, b) => a - b);
    this.next = this.ranks.length === 0 ? -1 : this.random.below(this.ranks.length);
  }

  /** The ranks still believed to hold replicas. */
  get candidates(): readonly number[] {
    return this.ranks;
  }

  /** Replaces the ranks after the list was used up. */
  reset(ranks: readonly number[]): void {
    this.ranks = [...new Set(ranks)].sort((a, b) => a - b);
    this.known = undefined;
    this.next = this.ranks.length === 0 ? -1 : this.random.below(this.ranks.length);
  }

  /** Rank to ask next: the leader when one is known and alive. DER_NOTREPLICA when no rank is left. */
  choose(): number {
    if (this.ranks.length === 0)
      throw new DaosError('NOTREPLICA', 'no rank is known to hold a replica of the service');
    if (this.known && this.known.aliveness > 0) return this.ranks[this.known.index] ?? 0;
    const rank = this.ranks[this.next] ?? this.ranks[0] ?? 0;
    this.next = (this.next + 1) % this.ranks.length;
    return rank;
  }

  /** Takes in what rank `asked` gave. `proceed`: the reply is the service's answer; `rechoose`: ask another rank. */
  complete(asked: number, outcome: TryOutcome): 'proceed' | 'rechoose' {
    const { transport, status, hint } = outcome;
    if (transport) {
      if (transport.der === 'OOG') {
        this.delete(asked);
        return 'rechoose';
      }
      this.error(asked, false);
      return transport.der === 'INVAL' || transport.der === 'UNREG' ? 'proceed' : 'rechoose';
    }
    if (status === NOTLEADER) {
      this.error(asked, true);
      if (hint) this.adopt(asked, hint, false);
      return 'rechoose';
    }
    if (status === NOTREPLICA) {
      this.delete(asked);
      return 'rechoose';
    }
    if (hint) this.adopt(asked, hint, true);
    return 'proceed';
  }

  private error(rank: number, notLeader: boolean): void {
    if (!this.known || this.ranks[this.known.index] !== rank) return;
    this.known.aliveness = notLeader ? 0 : this.known.aliveness - 1;
    if (this.known.aliveness > 0 || this.ranks.length < 2) return;
    this.next = (this.known.index + 1 + this.random.below(this.ranks.length - 1)) % this.ranks.length;
  }

  private adopt(asked: number, hint: { rank: number; term: number }, fromLeader: boolean): void {
    if (fromLeader && hint.rank !== asked) return;
    if (this.known && hint.term < this.known.term) return;
    if (this.known && hint.term === this.known.term) {
      if (fromLeader) this.known.aliveness = 1;
      return;
    }
    let index = this.ranks.indexOf(hint.rank);
    if (index < 0) index = this.ranks.push(hint.rank) - 1;
    this.known = { index, term: hint.term, aliveness: 1 };
  }

  private delete(rank: number): void {
    const index = this.ranks.indexOf(rank);
    if (index < 0) return;
    this.ranks.splice(index, 1);
    if (this.known?.index === index) this.known = undefined;
    else if (this.known && this.known.index > index) this.known.index--;
    if (this.ranks.length === 0) this.next = -1;
    else if (this.next > index || this.next >= this.ranks.length) this.next = Math.max(0, this.next - 1);
  }
}
