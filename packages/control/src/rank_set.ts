/** Largest usable rank; the number above it means "no rank". */
const RANK_MAX = 4294967294;
/** A range in the input may not make more ranks than this. */
const RANKS_MAX = 16384;

/** Input that is not a rank list. The message has no prefix; callers name the flag or field. */
export class RankSetError extends Error {
  override readonly name = 'RankSetError';
}

/** A set of ranks, always sorted, without duplicates. Text form: `0-3,7`. */
export class RankSet implements Iterable<number> {
  static readonly EMPTY = new RankSet([]);
  readonly ranks: readonly number[];

  constructor(ranks: Iterable<number>) {
    this.ranks = [...new Set(ranks)].sort((a, b) => a - b);
  }

  /** Parses `0-3,7` or `[0-3,7]`; an empty text is the empty set. Throws `RankSetError`. */
  static parse(text: string): RankSet {
    const inner = stripBrackets(text);
    if (inner === '') return RankSet.EMPTY;
    if (/\s/.test(inner)) throw failure(inner, 'unexpected whitespace character(s)');
    if (/[a-zA-Z]/.test(inner)) throw failure(inner, 'unexpected alphabetic character(s)');
    const ranks: number[] = [];
    for (const part of inner.split(',')) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part);
      if (!match) throw failure(inner, `invalid range "${part}"`);
      const low = Number(match[1]);
      const high = match[2] === undefined ? low : Number(match[2]);
      if (low > high) throw failure(inner, `invalid range "${part}"`);
      if (high > RANK_MAX) throw failure(inner, `rank ${high} is larger than ${RANK_MAX}`);
      if (ranks.length + (high - low + 1) > RANKS_MAX) throw failure(inner, `more than ${RANKS_MAX} ranks`);
      for (let rank = low; rank <= high; rank++) ranks.push(rank);
    }
    return new RankSet(ranks);
  }

  get size(): number {
    return this.ranks.length;
  }

  has(rank: number): boolean {
    return this.ranks.includes(rank);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.ranks[Symbol.iterator]();
  }

  /** `0-3,7`. */
  toString(): string {
    return formatRanges(this.ranks);
  }

  /** `[0-3,7]`, but a single rank stands alone: `3`. The form of tables. */
  toRangedString(): string {
    return this.size <= 1 ? this.toString() : `[${this.toString()}]`;
  }
}

/** Sorted numbers as ranges: `0-3,7`. */
export function formatRanges(numbers: readonly number[]): string {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < numbers.length; i++) {
    if (i + 1 < numbers.length && numbers[i + 1] === (numbers[i] ?? 0) + 1) continue;
    parts.push(start === i ? String(numbers[i]) : `${numbers[start]}-${numbers[i]}`);
    start = i + 1;
  }
  return parts.join(',');
}

function stripBrackets(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
}

function failure(inner: string, why: string): RankSetError {
  return new RankSetError(`creating numeric set from "[${inner}]": ${why}`);
}
