import { Command, InvalidArgumentError } from 'commander';
import { daosInit, type Container, type DaosObject, type Pool } from '@daos/client';

import { ECHO_REFERENCE, measureEcho } from './echo_reference.js';
import { measure, type Measured } from './latency.js';
import { parseCommands, type PerfCommand } from './perf_command.js';
import { printFigures, type Figure } from './report.js';
import { fillValue, verifyValue } from './stamp.js';

const OTYPE_MULTI_HASHED = 0;
const CLASS_BY_TAG: Readonly<Record<string, string>> = { TINY: 'S1', LARGE: 'SX', R2S: 'RP_2G1', R3S: 'RP_3G1', R4S: 'RP_4G1', EC2P1: 'EC_2P1G1', EC2P2: 'EC_2P2G1', EC4P2: 'EC_4P2G1', EC8P2: 'EC_8P2G1' };
const CREDITS_MAX = 1024;
const ECHO_SECONDS_MAX = 5;

interface DaosPerfOptions {
  readonly pool: string;
  readonly cont?: string;
  readonly agentDir?: string;
  readonly objects: number;
  readonly dkeys: number;
  readonly akeys: number;
  readonly values: number;
  readonly size: number;
  readonly array?: boolean | string;
  readonly class: string;
  readonly credits: number;
  readonly type: string;
  readonly run: string;
  readonly json?: boolean;
  readonly reference: boolean;
}

/** A position in the key space of a run, in DAOS's order: dkey, akey, value, object (fastest last). */
interface Position {
  readonly object: DaosObject;
  readonly dkey: string;
  readonly akey: string;
  readonly value: number;
  readonly number: number;
}

export async function runDaosPerf(options: DaosPerfOptions): Promise<Figure[]> {
  const commands = parseCommands(options.run, 'UFV');
  const className = CLASS_BY_TAG[options.class] ?? options.class;
  const inFlight = options.credits <= 0 ? 1 : Math.min(options.credits, CREDITS_MAX);
  const daos = await daosInit(options.agentDir === undefined ? {} : { agentDir: options.agentDir });
  try {
    const pool = await daos.poolConnect(options.pool);
    const label = options.cont ?? `daos_perf-${process.pid}`;
    if (options.cont === undefined) await pool.contCreate({ label });
    try {
      return await runInContainer(pool, label, className, commands, inFlight, options);
    } finally {
      if (options.cont === undefined) await pool.contDestroy(label, { force: true });
    }
  } finally {
    await daos.close();
  }
}

async function runInContainer(pool: Pool, label: string, className: string, commands: readonly PerfCommand[], inFlight: number, options: DaosPerfOptions): Promise<Figure[]> {
  const cont = await pool.contOpen(label, { mode: 'rw' });
  try {
    const workload = await Workload.create(cont, className, options);
    const total = workload.total;
    const echo = options.reference ? await measureEcho(options.size, inFlight, Math.max(total, 20_000), ECHO_SECONDS_MAX) : undefined;
    const figures: Figure[] = [];
    for (const command of commands) {
      const measured = await measure(total * command.iterations, inFlight, (i) => workload.operation(command.letter, i % total));
      if (command.print) figures.push(figureOf(command.letter, options, inFlight, measured, echo));
    }
    return figures;
  } finally {
    await cont.close();
  }
}

class Workload {
  readonly total: number;
  private readonly buffer: Buffer;

  private constructor(
    private readonly objects: readonly DaosObject[],
    private readonly options: DaosPerfOptions,
  ) {
    this.total = options.objects * options.dkeys * options.akeys * options.values;
    this.buffer = fillValue(Buffer.alloc(options.size), 0);
  }

  static async create(cont: Container, className: string, options: DaosPerfOptions): Promise<Workload> {
    const first = await cont.allocOids(options.objects);
    const objects = Array.from({ length: options.objects }, (_, i) =>
      cont.objOpen(cont.generateOid({ hi: 0n, lo: first + BigInt(i) }, OTYPE_MULTI_HASHED, { class: className }), { mode: 'rw' }),
    );
    return new Workload(objects, options);
  }

  operation(letter: string, number: number): Promise<unknown> {
    const at = this.position(number);
    if (letter === 'U') return this.update(at);
    return this.fetch(at, letter === 'V');
  }

  private position(number: number): Position {
    const { objects, values, akeys } = this.options;
    const object = this.objects[number % objects];
    if (!object) throw new Error('no object');
    let rest = Math.floor(number / objects);
    const value = rest % values;
    rest = Math.floor(rest / values);
    return { object, value, akey: `akey-${rest % akeys}`, dkey: `blade${Math.floor(rest / akeys)}`, number };
  }

  private update(at: Position): Promise<void> {
    const value = this.options.size >= 16 ? fillValue(Buffer.from(this.buffer), at.number) : this.buffer;
    if (!this.options.array) return at.object.update(undefined, at.dkey, [{ akey: at.akey, type: 'single', value }]);
    return at.object.update(undefined, at.dkey, [{ akey: at.akey, type: 'array', recordSize: 1, recxs: [this.extent(at)], value }]);
  }

  private async fetch(at: Position, verify: boolean): Promise<void> {
    const iod = this.options.array
      ? ({ akey: at.akey, type: 'array', recordSize: 1, recxs: [this.extent(at)] } as const)
      : ({ akey: at.akey, type: 'single' } as const);
    const [found] = await at.object.fetch(undefined, at.dkey, [iod]);
    if (found?.data.length !== this.options.size) throw new Error(`${at.dkey}/${at.akey}: ${found?.data.length ?? 0} of ${this.options.size} bytes came back`);
    if (verify && this.options.size >= 16) this.check(at, found.data);
  }

  /** Single values are overwritten by later values of the same akey: the last one is there. */
  private check(at: Position, data: Uint8Array): void {
    const { objects, values, array } = this.options;
    const expected = array ? at.number : at.number + (values - 1 - at.value) * objects;
    if (!verifyValue(data, expected)) throw new Error(`${at.dkey}/${at.akey}: wrong content`);
  }

  private extent(at: Position): { idx: bigint; nr: bigint } {
    return { idx: BigInt(at.value * this.options.size), nr: BigInt(this.options.size) };
  }
}

function figureOf(letter: string, options: DaosPerfOptions, inFlight: number, measured: Measured, echo: Measured | undefined): Figure {
  const verb = { U: 'update', F: 'fetch', V: 'verify' }[letter] ?? letter;
  const ops = measured.operations / measured.seconds;
  return {
    name: `daos_perf ${verb} ${options.size} B ${options.array ? 'array' : 'single value'}, ${inFlight} in flight`,
    opsPerSecond: ops,
    mbPerSecond: (ops * options.size) / 1e6,
    p50Us: measured.latency.percentile(50),
    p99Us: measured.latency.percentile(99),
    ...(echo ? { reference: ECHO_REFERENCE, referenceOpsPerSecond: echo.operations / echo.seconds } : {}),
  };
}

function wholeNumber(text: string): number {
  const match = /^(\d+)([kKmMgG]?)$/.exec(text);
  if (!match?.[1]) throw new InvalidArgumentError('expected a whole number, with K, M or G if you like');
  return Number(match[1]) * { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(match[2] ?? '').toLowerCase() as '' | 'k' | 'm' | 'g'];
}

export function daosPerfProgram(): Command {
  return new Command('daos_perf')
    .description('Measures the object layer through the network: updates, fetches, verification.')
    .option('-u, --pool <pool>', 'pool, by label or UUID', 'tank')
    .option('-X, --cont <container>', 'existing container; default: a new one, destroyed afterwards')
    .option('--agent-dir <dir>', "folder of the agent's socket")
    .option('-o, --objects <n>', 'objects', wholeNumber, 1)
    .option('-d, --dkeys <n>', 'dkeys per object', wholeNumber, 256)
    .option('-a, --akeys <n>', 'akeys per dkey', wholeNumber, 16)
    .option('-n, --values <n>', 'values or extents per akey', wholeNumber, 16)
    .option('-s, --size <bytes>', 'size of a value', wholeNumber, 64)
    .option('-A, --array', 'array values instead of single values')
    .option('-c, --class <class>', 'TINY, LARGE (SX), or a class name', 'LARGE')
    .option('-C, --credits <n>', 'operations in flight; 0: one by one', (text) => Number(text), 16)
    .option('-T, --type <type>', 'daos (echo needs the echo classes, which do not exist yet)', 'daos')
    .option('-R, --run <commands>', 'U update, F fetch, V verify; parameters after ";": p print, i=N iterations', 'U;p F;p')
    .option('--no-reference', 'do not measure the TCP echo')
    .option('--json', 'one JSON object per figure');
}

/** The program: parses arguments, runs, prints. */
export async function main(argv: readonly string[]): Promise<void> {
  const options = daosPerfProgram().parse([...argv]).opts<DaosPerfOptions>();
  if (options.type !== 'daos') throw new Error(`-T ${options.type}: only "daos" is supported`);
  if (options.size < 4) throw new Error(`-s ${options.size}: a value has at least 4 bytes`);
  printFigures(await runDaosPerf(options), options.json === true);
}
