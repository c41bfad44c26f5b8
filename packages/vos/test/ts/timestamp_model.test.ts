import { seededRandom, type Random } from '@daos/gurt';

import { TimestampTable } from '../../src/ts/timestamp_table.js';
import { TsLevel } from '../../src/ts/ts_level.js';

const { CONTAINER, AKEY } = TsLevel;
const SEED = Number(process.env['VOS_SEED'] ?? Math.floor(Math.random() * 1e9));
const STEPS = 10_000;
const START = 1000;

/** What is known of one entity. Nothing is ever forgotten, nothing shared. */
class Known {
  low = { epoch: START, reader: 0 };
  high = { epoch: START, reader: 0 };
  writes = new Set<number>();
  no: number | undefined;

  conflicts(isWritten: boolean, epoch: number, writer: number): boolean {
    const read = isWritten ? this.high : this.low;
    return epoch < read.epoch || (epoch === read.epoch && writer !== read.reader);
  }

  uncertain(epoch: number, bound: number): boolean {
    const [newest = START, second = START] = [...this.writes].sort((a, b) => b - a);
    if (bound <= epoch || epoch >= newest) return false;
    return epoch < second || bound >= newest;
  }
}

/** Entities by path; all have the same fan-out. */
class Model {
  private readonly entities = new Map<string, Known>();
  private nextNo = 1;

  constructor(private readonly fanOut: number) {}

  /** Indices of a random path down to a random level. */
  path(random: Random): number[] {
    return Array.from({ length: 1 + random.below(4) }, () => random.below(this.fanOut));
  }

  known(path: number[]): Known {
    const key = path.join('/');
    let known = this.entities.get(key);
    if (!known) this.entities.set(key, (known = new Known()));
    if (path.length === 1) known.no ??= this.nextNo++;
    return known;
  }

  chain(path: number[]): Known[] {
    return path.map((_, depth) => this.known(path.slice(0, depth + 1)));
  }

  takeNo(): number {
    return this.nextNo++;
  }

  /** All that exists and can fall out. */
  existing(): [TsLevel, number][] {
    return [...this.entities].flatMap(([key, { no }]) => (no === undefined ? [] : [[(key.split('/').length - 1) as TsLevel, no]]));
  }
}

/** Hashes without a collision in 65,536 negative entries, for paths of up to four children each. */
const HASHES = [1, 1, 100, 10_000];

interface Setup {
  table: TimestampTable;
  fanOut: number;
  hash(level: number, index: number): number;
  /** Whether a table may refuse more than the model does. */
  mayRefuseMore: boolean;
  evictions: boolean;
}

/** Runs random operations of random transactions on the table and the model. */
function run(random: Random, { table, fanOut, hash, mayRefuseMore, evictions }: Setup): { refused: number; allowed: number; uncertain: number } {
  const model = new Model(fanOut);
  const uuid = Buffer.alloc(16);
  const seen = { refused: 0, allowed: 0, uncertain: 0 };
  const compare = (step: number, got: boolean, want: boolean): void => {
    if (got !== want && (want || !mayRefuseMore)) throw new Error(`step ${step}: ${got} instead of ${want}`);
  };
  for (let step = 0; step < STEPS; step++) {
    const path = model.path(random);
    const chain = model.chain(path);
    const deepest = (path.length - 1) as TsLevel;
    // readers at one epoch are told apart only where nothing is shared
    const epoch = mayRefuseMore ? START + 1 + 10 * step + random.below(5000) : START - 3 + random.below(60) + Math.floor(step / 100);
    const reader = mayRefuseMore ? step : 1 + random.below(3);
    uuid.writeUInt32BE(reader, 12);
    const set = table.begin(uuid, 5n);
    chain.forEach(({ no }, level) => set.add(level as TsLevel, no, hash(level, path[level]!)));
    const what = random.below(3);
    if (what === 0) {
      const level = random.below(path.length) as TsLevel;
      set.markRead(level);
      set.updateReads(BigInt(epoch));
      chain.slice(0, level + 1).forEach((known, at) => {
        if (epoch >= known.high.epoch) known.high = { epoch, reader };
        if (at === level && epoch >= known.low.epoch) known.low = { epoch, reader };
      });
    } else if (what === 1) {
      const level = random.below(4) as TsLevel;
      const cap = Math.min(level, deepest);
      const want = chain.some((known, at) => at <= cap && known.conflicts(at === cap, epoch, reader));
      const got = set.checkWrite(level, BigInt(epoch));
      compare(step, got, want);
      if (got) {
        seen.refused++;
      } else {
        seen.allowed++;
        set.updateWrites(BigInt(epoch));
        chain.forEach((known, at) => {
          if (epoch > START) known.writes.add(epoch);
          if (known.no !== undefined || at === CONTAINER) return;
          set.markCreated(at, (known.no = model.takeNo()));
        });
        set.upgrade();
      }
    } else {
      const bound = epoch + random.below(30) * (mayRefuseMore ? 100 : 1);
      const want = chain[deepest]!.uncertain(epoch, bound);
      const got = set.checkUncertainty(BigInt(epoch), BigInt(bound));
      compare(step, got, want);
      if (want) seen.uncertain++;
    }
    set.end();
    if (!evictions || random.below(4) > 0) continue;
    const existing = model.existing();
    const [level, no] = existing[random.below(existing.length)]!;
    table.evict(level, no);
  }
  return seen;
}

/** All kinds of answers occurred often, so that the comparison means something. */
function expectVaried(seen: Record<string, number>): void {
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(STEPS / 100);
}

describe('random operations on the timestamp cache', () => {
  it(`are answered exactly as the rules say while there is room (seed ${SEED})`, () => {
    const table = new TimestampTable({ start: BigInt(START) });
    const hash = (level: number, index: number): number => index * HASHES[level]!;
    const seen = run(seededRandom(SEED), { table, fanOut: 4, hash, mayRefuseMore: false, evictions: false });
    expectVaried(seen);
  });

  it(`are never allowed what the rules refuse when entries are few and shared (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const capacities = [2, 4, 8, 16].map((positive, level) => ({ positive, negative: level === CONTAINER ? 1 : 32 }));
    const table = new TimestampTable({ start: BigInt(START), capacities });
    const hash = (level: number, index: number): number => Math.imul(index + 1, 0x9e3779b1 + level) >> 8;
    const seen = run(random, { table, fanOut: 6, hash, mayRefuseMore: true, evictions: true });
    expectVaried(seen);
    for (let level = 0; level <= AKEY; level++) expect(table.level(level as TsLevel).count).toBeLessThanOrEqual([2, 4, 8, 16][level]!);
  });
});
