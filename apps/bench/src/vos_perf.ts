import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { EPOCH_MAX, IodType, QueryFlag, uuidGenerate, type Iod, type KeyFlavour, type UnitOid } from '@daos/common';
import { AggregateFlag, vosPoolCreate, vosPoolOpen, type KeyFlavours, type VosContainer, type VosFetchedIod, type VosLoan, type VosPool } from '@daos/vos';
import { Command, Option } from 'commander';

import { LatencyRecorder, measure, type Measured } from './latency.js';
import { parseCommands, type PerfCommand } from './perf_command.js';
import { printFigures, type Figure } from './report.js';
import { byteCount, wholeNumber } from './size_option.js';
import { fillValue, verifyValue } from './stamp.js';
import { measureVosReference, type VosReference } from './vos_reference.js';

const COMMANDS = 'UFVQIPADG';
/** Parameters without a value: punch whole dkeys; aggregate with a full scan, merge all that meets. */
const WORDS: Readonly<Record<string, readonly string[]>> = { P: ['d'], A: ['f', 'm'] };
const PAGE_ENTRIES = 1024;
/** Synchronous operations between two looks at the clock. */
const SYNC_SLICE = 16;
const WARM_UP = 8192;
/** Shorter runs are repeated: their figure would be chance. */
const MS_MIN = 500;

interface VosPerfOptions {
  readonly scm: number;
  readonly nvme: number;
  readonly dir: string;
  readonly objects: number;
  readonly dkeys: number;
  readonly akeys: number;
  readonly values: number;
  readonly size: number;
  readonly array?: boolean | string;
  readonly integerDkeys?: boolean;
  readonly constantAkey?: boolean;
  readonly inFlight: number;
  readonly run: string;
  readonly wait?: boolean;
  readonly pool?: string;
  readonly cont?: string;
  readonly json?: boolean;
  readonly reference: boolean;
  readonly durability: 'full' | 'none';
}

/** Runs the commands against a fresh pool in a temporary folder, which is removed. */
export async function runVosPerf(options: VosPerfOptions): Promise<Figure[]> {
  const commands = parseCommands(options.run, COMMANDS, Object.values(WORDS).flat());
  for (const command of commands) checkCommand(command);
  const dir = await mkdtemp(join(options.dir, 'vos_perf-'));
  try {
    const uuid = options.pool ?? uuidGenerate();
    await vosPoolCreate({ dir: join(dir, 'pool'), uuid, scmBytes: options.scm, nvmeBytes: options.nvme });
    const pool = await vosPoolOpen({ dir: join(dir, 'pool'), uuid, durability: options.durability });
    try {
      const containerUuid = options.cont ?? uuidGenerate();
      await pool.containerCreate(containerUuid);
      const container = pool.containerOpen(containerUuid);
      const workload = new Workload(pool, container, options);
      if (options.wait) await pause('press Enter to start');
      const keys = options.objects * options.dkeys * options.akeys;
      const measureReference = options.reference && commands.some(({ print }) => print);
      const reference = measureReference ? await measureVosReference(dir, keys, options) : undefined;
      const figures: Figure[] = [];
      for (const command of commands) {
        const measured = await workload.run(command);
        if (command.print) figures.push(figureOf(command, options, measured, reference));
      }
      container.close();
      return figures;
    } finally {
      await pool.close();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Objects, dkeys, akeys and values that a command works on: all, or as many as it names. */
type Scope = Pick<VosPerfOptions, 'objects' | 'dkeys' | 'akeys' | 'values'>;

function scopeOf(command: PerfCommand, options: VosPerfOptions): Scope {
  const part = (wanted: number | undefined, all: number): number => Math.min(wanted ?? all, all);
  return {
    objects: part(command.objects, options.objects),
    dkeys: part(command.dkeys, options.dkeys),
    akeys: part(command.akeys, options.akeys),
    values: part(command.values, options.values),
  };
}

/** Refuses parameters that would have no effect. */
function checkCommand({ letter, keepCounter, offset, size, parameters }: PerfCommand): void {
  const refuse = (name: string): never => {
    throw new Error(`-R: "${letter}" does not take ${name}`);
  };
  if (keepCounter) refuse('k');
  if (offset !== undefined) refuse('o=');
  if (size !== undefined) refuse('s=');
  const unknown = parameters.filter((word) => !WORDS[letter]?.includes(word));
  if (unknown.length > 0) refuse(unknown.join());
}

class Workload {
  /** What the running command works on. */
  private scope: Scope;
  private readonly dkeys: readonly Uint8Array[];
  private readonly akeys: readonly Uint8Array[];
  private readonly oids: readonly UnitOid[];
  private readonly flavours: KeyFlavours;
  private readonly value: Buffer;
  private readonly random: boolean;
  private readonly stride: number;
  private readonly newest: Float64Array;
  private readonly loans: VosLoan[] = [];
  private epoch = 1n;

  /** Epochs up to this one were aggregated or discarded. */
  private settledTo = 0n;

  constructor(
    private readonly pool: VosPool,
    private readonly container: VosContainer,
    private readonly options: VosPerfOptions,
  ) {
    const { objects, dkeys, akeys } = options;
    this.scope = options;
    const dkeyFlavour: KeyFlavour = options.integerDkeys ? 'uint64' : 'hashed';
    this.flavours = { dkey: dkeyFlavour, akey: 'hashed' };
    this.dkeys = Array.from({ length: dkeys }, (_, i) => (options.integerDkeys ? numberKey(i) : Buffer.from(`blade${i}`)));
    this.akeys = Array.from({ length: akeys }, (_, i) => Buffer.from(options.constantAkey ? 'akey' : `akey-${i}`));
    this.oids = Array.from({ length: objects }, (_, i) => ({ oid: { hi: 1n << 32n, lo: BigInt(i + 1) }, shard: 0, layoutVersion: 1 }));
    this.value = fillValue(Buffer.alloc(options.size), 0);
    this.random = options.array === 'R';
    this.stride = strideOf(options.values);
    this.newest = new Float64Array(objects * dkeys * akeys).fill(-1);
  }

  async run(command: PerfCommand): Promise<Measured> {
    const { letter, iterations, parameters } = command;
    const { inFlight } = this.options;
    const { objects, dkeys, akeys, values } = (this.scope = scopeOf(command, this.options));
    const total = objects * dkeys * akeys * values;
    const count = total * iterations;
    if (command.verbose) process.stderr.write(`${letter}: ${total} operations, ${iterations} times\n`);
    switch (letter) {
      case 'U':
        return measure(count, inFlight, (i) => this.update(i % total));
      case 'F':
        return measureSync(count, (i) => this.fetch(i % total));
      case 'V':
        return measureSync(count, (i) => this.verify(i % total));
      case 'Q':
        return measureSync(this.oids.length * this.dkeys.length * iterations, (i) => this.query(i));
      case 'P':
        return this.punch(parameters.includes('d'), inFlight);
      case 'A':
        return this.aggregate(parameters);
      case 'D':
        return this.timed(() => this.container.discard({ lo: 1n, hi: EPOCH_MAX }));
      case 'G':
        return this.collectGarbage();
      default:
        return this.iterate(iterations);
    }
  }

  private update(number: number): Promise<void> {
    const { object, dkey, akey, value } = this.position(number);
    if (this.options.size >= 16) this.stamp(object, dkey, akey, number);
    const data = this.options.size >= 16 ? fillValue(Buffer.from(this.value), number) : this.value;
    return this.container.update({
      oid: this.oids[object] as UnitOid,
      flavours: this.flavours,
      epoch: ++this.epoch,
      flags: 0,
      dkey: this.dkeys[dkey] as Uint8Array,
      iods: [this.iod(akey, value)],
      values: [data],
    });
  }

  /** What was fetched is valid until the next fetch: its buffers go back then. */
  private fetch(number: number): VosFetchedIod[] | Promise<VosFetchedIod[]> {
    const { object, dkey, akey, value } = this.position(number);
    const { loans } = this;
    for (let loan = loans.pop(); loan; loan = loans.pop()) loan.release();
    return this.container.fetch({
      loans,
      oid: this.oids[object] as UnitOid,
      flavours: this.flavours,
      epoch: EPOCH_MAX,
      flags: 0,
      dkey: this.dkeys[dkey] as Uint8Array,
      iods: [this.iod(akey, value)],
    });
  }

  private async verify(number: number): Promise<void> {
    const { object, dkey, akey } = this.position(number);
    const [found] = await this.fetch(number);
    const data = found?.pieces[0]?.data;
    if (data?.length !== this.options.size) throw new Error(`value ${number}: ${data?.length ?? 0} of ${this.options.size} bytes came back`);
    const expected = this.options.array ? number : (this.newest[this.keyIndex(object, dkey, akey)] as number);
    if (this.options.size >= 16 && !verifyValue(data, expected)) throw new Error(`value ${number}: wrong content`);
  }

  private query(number: number): void {
    const dkey = this.dkeys[Math.floor(number / this.oids.length) % this.dkeys.length] as Uint8Array;
    const oid = this.oids[number % this.oids.length] as UnitOid;
    if (this.options.integerDkeys) {
      this.container.queryKey({ oid, flavours: this.flavours, epoch: EPOCH_MAX, flags: QueryFlag.MAX | QueryFlag.DKEY });
    } else if (this.options.array) {
      const flags = QueryFlag.MAX | QueryFlag.RECX;
      this.container.queryKey({ oid, flavours: this.flavours, epoch: EPOCH_MAX, flags, dkey, akey: this.akeys[0] as Uint8Array });
    } else this.container.queryKey({ oid, flavours: this.flavours, epoch: EPOCH_MAX, flags: 0 });
  }

  /** Lists everything; an operation is an entry. */
  private iterate(iterations: number): Measured {
    const latency = new LatencyRecorder();
    const started = performance.now();
    const epr = { lo: 0n, hi: EPOCH_MAX };
    let operations = 0;
    const pages = <T>(list: (anchor: { anchor?: Uint8Array }) => { items: readonly T[]; next: Uint8Array | undefined }): T[] => {
      const all: T[] = [];
      let anchor: Uint8Array | undefined;
      do {
        const begun = performance.now();
        const page = list(anchor ? { anchor } : {});
        latency.add(((performance.now() - begun) * 1000) / Math.max(1, page.items.length));
        operations += page.items.length;
        all.push(...page.items);
        anchor = page.next;
      } while (anchor);
      return all;
    };
    for (let i = 0; i < iterations; i++) {
      for (const oid of this.oids) {
        const common = { oid, flavours: this.flavours, epr, limit: PAGE_ENTRIES };
        for (const dkey of pages((anchor) => this.container.listDkeys({ ...common, ...anchor }))) {
          for (const akey of pages((anchor) => this.container.listAkeys({ ...common, ...anchor, dkey }))) {
            pages((anchor) => this.container.listRecxs({ ...common, ...anchor, dkey, akey }));
          }
        }
      }
    }
    return { operations, seconds: (performance.now() - started) / 1000, latency };
  }

  private punch(wholeDkeys: boolean, inFlight: number): Promise<Measured> {
    const { objects, dkeys, akeys } = this.options;
    const count = wholeDkeys ? objects * dkeys : objects * dkeys * akeys;
    return measure(count, inFlight, (i) => {
      const oid = this.oids[i % objects] as UnitOid;
      const at = Math.floor(i / objects);
      const common = { oid, flavours: this.flavours, epoch: ++this.epoch, flags: 0 };
      if (wholeDkeys) return this.container.punch({ ...common, dkey: this.dkeys[at] as Uint8Array });
      const dkey = this.dkeys[Math.floor(at / akeys)] as Uint8Array;
      return this.container.punch({ ...common, dkey, akeys: [this.akeys[at % akeys] as Uint8Array] });
    });
  }

  /** Aggregates all that was written; an operation is a modification since the last time. */
  private aggregate(parameters: readonly string[]): Promise<Measured> {
    const full = parameters.includes('f');
    const flags = (full ? AggregateFlag.FORCE_SCAN : 0) | (parameters.includes('m') ? AggregateFlag.FORCE_MERGE : 0);
    if (full) this.settledTo = 0n;
    return this.timed(() => this.container.aggregate({ lo: 0n, hi: this.epoch }, { flags }));
  }

  /** Waits until all that was deleted is removed; an operation is an object, a key or a value. */
  private async collectGarbage(): Promise<Measured> {
    const freed = (): number => Object.values(this.pool.gcStatistics()).reduce((sum, count) => sum + count, 0);
    this.pool.gcReset();
    return this.timed(() => this.pool.settled(), freed);
  }

  private async timed(action: () => Promise<unknown>, count?: () => number): Promise<Measured> {
    const written = Number(this.epoch - this.settledTo);
    const latency = new LatencyRecorder();
    const started = performance.now();
    await action();
    const seconds = (performance.now() - started) / 1000;
    if (!count) this.settledTo = this.epoch;
    const operations = count ? count() : written;
    latency.add((seconds * 1e6) / Math.max(1, operations));
    return { operations, seconds, latency };
  }

  private iod(akey: number, value: number): Iod {
    const { size, array, values } = this.options;
    if (!array) return { akey: this.akeys[akey] as Uint8Array, type: IodType.SINGLE, size, recxs: [] };
    const slot = this.random ? (value * this.stride) % values : value;
    const recx = { idx: BigInt(slot * size), nr: BigInt(size) };
    return { akey: this.akeys[akey] as Uint8Array, type: IodType.ARRAY, size: 1, recxs: [recx] };
  }

  /** Loop order, slowest first: dkey, akey, value, object. */
  private position(number: number): { object: number; dkey: number; akey: number; value: number } {
    const { objects, values, akeys } = this.scope;
    let rest = Math.floor(number / objects);
    const value = rest % values;
    rest = Math.floor(rest / values);
    return { object: number % objects, value, akey: rest % akeys, dkey: Math.floor(rest / akeys) };
  }

  private stamp(object: number, dkey: number, akey: number, number: number): void {
    this.newest[this.keyIndex(object, dkey, akey)] = number;
  }

  private keyIndex(object: number, dkey: number, akey: number): number {
    return (object * this.options.dkeys + dkey) * this.options.akeys + akey;
  }
}

/**
 * As `measure` for operations that mostly need no wait, one after the other: the clock must not cost more
 * than they do. Begins, as the reference does, with code that the compiler has seen before.
 */
async function measureSync(count: number, operation: (i: number) => unknown): Promise<Measured> {
  for (let i = 0; i < Math.min(count, WARM_UP); i++) await operation(i);
  const latency = new LatencyRecorder();
  const started = performance.now();
  let operations = 0;
  do {
    for (let i = 0; i < count; ) {
      const begun = performance.now();
      const end = Math.min(count, i + SYNC_SLICE);
      const slice = end - i;
      for (; i < end; i++) {
        const result = operation(i);
        if (result instanceof Promise) await result;
      }
      latency.add(((performance.now() - begun) * 1000) / slice);
    }
    operations += count;
  } while (performance.now() - started < MS_MIN);
  return { operations, seconds: (performance.now() - started) / 1000, latency };
}

function figureOf({ letter }: PerfCommand, options: VosPerfOptions, measured: Measured, found: VosReference | undefined): Figure {
  const verb = { U: 'update', F: 'fetch', V: 'verify', Q: 'query', I: 'iterate', P: 'punch', A: 'aggregate', D: 'discard', G: 'garbage collection' }[letter] ?? letter;
  const ops = measured.operations / measured.seconds;
  const isData = 'UFV'.includes(letter);
  const kind = options.array ? 'array' : 'single value';
  const isWrite = 'UPADG'.includes(letter);
  const isInFlight = 'UP'.includes(letter);
  const reference = isWrite
    ? { reference: found?.updateName ?? '', referenceOpsPerSecond: found?.updatesPerSecond ?? 0 }
    : { reference: found?.fetchName ?? '', referenceOpsPerSecond: found?.fetchesPerSecond ?? 0 };
  return {
    name: `vos_perf ${verb} ${options.size} B ${kind}${isInFlight ? `, ${options.inFlight} in flight` : ''}`,
    opsPerSecond: ops,
    mbPerSecond: isData ? (ops * options.size) / 1e6 : 0,
    p50Us: measured.latency.percentile(50),
    p99Us: measured.latency.percentile(99),
    ...(found ? reference : {}),
  };
}

/** Steps of this width around the values of an akey meet each of them once, in an order that looks like chance. */
function strideOf(values: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let stride = Math.max(1, Math.floor(values * 0.618));
  while (gcd(stride, values) !== 1) stride++;
  return stride;
}

function numberKey(i: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64LE(BigInt(i));
  return key;
}

async function pause(text: string): Promise<void> {
  process.stderr.write(`${text}\n`);
  await new Promise((resolve) => process.stdin.once('data', resolve));
  process.stdin.pause();
}

export function vosPerfProgram(): Command {
  return new Command('vos_perf')
    .description('Measures the versioned object store of one target, without network, beside plain LMDB.')
    .option('-P, --scm <bytes>', 'size of the index', byteCount, 2 * 2 ** 30)
    .option('-N, --nvme <bytes>', 'size of the data file for values of 4 KiB and more; 0: none', byteCount, 0)
    .option('-D, --dir <dir>', 'folder in which a temporary one is made', tmpdir())
    .option('-u, --pool <uuid>', 'UUID of the pool')
    .option('-X, --cont <uuid>', 'UUID of the container')
    .option('-o, --objects <n>', 'objects', wholeNumber, 1)
    .option('-d, --dkeys <n>', 'dkeys per object', wholeNumber, 256)
    .option('-a, --akeys <n>', 'akeys per dkey', wholeNumber, 16)
    .option('-n, --values <n>', 'values or extents per akey', wholeNumber, 16)
    .option('-s, --size <bytes>', 'size of a value', byteCount, 64)
    .option('-A, --array [order]', 'array values instead of single values; R: in random order')
    .option('-i, --integer-dkeys', 'uint64 dkeys')
    .option('-I, --constant-akey', 'one name for all akeys')
    .option('-C, --in-flight <n>', 'updates in flight; those of one turn share a flush', wholeNumber, 32)
    .option('-R, --run <commands>', 'U update, F fetch, V verify, Q query, I iterate, P punch, A aggregate, D discard, G garbage collection; parameters after ";": ' +
        'p print, v verbose, i=N iterations, O= D= a= n= parts of the run, d (P: whole dkeys), f m (A: full scan, force merge)', 'U;p F;p')
    .option('-w, --wait', 'wait for Enter before the first command')
    .addOption(
      new Option('--durability <mode>', 'none: updates are acknowledged before they are flushed').choices(['full', 'none']).default('full'),
    )
    .option('--no-reference', 'do not measure plain LMDB or a raw file beside it')
    .option('--json', 'one JSON object per figure');
}

/** The program: parses arguments, runs, prints. */
export async function main(argv: readonly string[]): Promise<void> {
  const options = vosPerfProgram().parse([...argv]).opts<VosPerfOptions>();
  if (options.size < 4) throw new Error(`-s ${options.size}: a value has at least 4 bytes`);
  if (options.constantAkey && options.akeys !== 1) throw new Error('-I needs -a 1: one name is one akey');
  if (options.array !== undefined && options.array !== true && options.array !== 'R') throw new Error('-A takes nothing, or R');
  printFigures(await runVosPerf(options), options.json === true);
}
