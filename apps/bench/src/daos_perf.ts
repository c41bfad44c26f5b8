import { Command, InvalidArgumentError } from 'commander';
import { daosInit, type Pool } from '@daos/client';

import { DaosWorkload } from './daos_workload.js';
import { ECHO_REFERENCE, measureEcho } from './echo_reference.js';
import { measure, type Measured } from './latency.js';
import { parseCommands, type PerfCommand } from './perf_command.js';
import { printFigures, type Figure } from './report.js';

const CLASS_BY_TAG: Readonly<Record<string, string>> = {
  TINY: 'S1', LARGE: 'SX', R2S: 'RP_2G1', R3S: 'RP_3G1', R4S: 'RP_4G1',
  EC2P1: 'EC_2P1G1', EC2P2: 'EC_2P2G1', EC4P2: 'EC_4P2G1', EC8P2: 'EC_8P2G1',
};
const CREDITS_MAX = 1024;
const ECHO_SECONDS_MAX = 5;
const ECHO_OPERATIONS_MIN = 20_000;

export interface DaosPerfOptions {
  readonly pool: string;
  readonly cont?: string;
  readonly agentDir?: string;
  readonly objects: number;
  readonly dkeys: number;
  readonly akeys: number;
  readonly values: number;
  readonly size: number;
  /** `R`: random order of extents. */
  readonly array?: boolean | string;
  readonly seed?: number;
  readonly class: string;
  readonly credits: number;
  readonly type: string;
  /** Seconds to wait before each command. */
  readonly wait?: number;
  readonly run: string;
  readonly json?: boolean;
  readonly reference: boolean;
}

/** Runs the commands in a container (its own, destroyed afterwards, unless one is named) and returns the figures. */
export async function runDaosPerf(options: DaosPerfOptions): Promise<Figure[]> {
  const commands = parseCommands(options.run, 'UFV');
  if (options.type !== 'daos') throw new Error(`-T ${options.type}: only "daos" is supported`);
  if (options.size < 4) throw new Error(`-s ${options.size}: a value has at least 4 bytes`);
  const daos = await daosInit(options.agentDir === undefined ? {} : { agentDir: options.agentDir });
  try {
    const pool = await daos.poolConnect(options.pool);
    const label = options.cont ?? `daos_perf-${process.pid}`;
    if (options.cont === undefined) await pool.contCreate({ label });
    try {
      return await runInContainer(pool, label, commands, options);
    } finally {
      if (options.cont === undefined) await pool.contDestroy(label, { force: true });
    }
  } finally {
    await daos.close();
  }
}

async function runInContainer(
  pool: Pool, label: string, commands: readonly PerfCommand[], options: DaosPerfOptions,
): Promise<Figure[]> {
  const inFlight = options.credits <= 0 ? 1 : Math.min(options.credits, CREDITS_MAX);
  const cont = await pool.contOpen(label, { mode: 'rw' });
  try {
    const array = options.array === undefined || options.array === false ? undefined : options.array === 'R' ? 'random' : 'sequential';
    const shape = { ...options, array, seed: options.seed ?? 0 } as const;
    const workload = await DaosWorkload.create(cont, CLASS_BY_TAG[options.class] ?? options.class, shape);
    const totals = commands.map((command) => workload.operations(command));
    const count = Math.max(ECHO_OPERATIONS_MIN, ...totals);
    const echo = options.reference ? await measureEcho(options.size, inFlight, count, ECHO_SECONDS_MAX) : undefined;
    const figures: Figure[] = [];
    for (const [i, command] of commands.entries()) {
      if (options.wait) await sleep(options.wait * 1000);
      if (command.verbose) process.stderr.write(`${command.letter}: ${totals[i] ?? 0} operations, ${command.iterations} times\n`);
      const measured = await runCommand(workload, command, inFlight);
      if (command.print) figures.push(figureOf(command, options, inFlight, measured, echo));
    }
    return figures;
  } finally {
    await cont.close();
  }
}

async function runCommand(workload: DaosWorkload, command: PerfCommand, inFlight: number): Promise<Measured> {
  const total = workload.operations(command);
  return measure(total * command.iterations, inFlight, (i) => workload.run(command, i % total, Math.floor(i / total)));
}

function figureOf(
  command: PerfCommand, options: DaosPerfOptions, inFlight: number, measured: Measured, echo: Measured | undefined,
): Figure {
  const verb = { U: 'update', F: 'fetch', V: 'verify' }[command.letter] ?? command.letter;
  const bytes = command.size ?? options.size - (command.offset ?? 0);
  const ops = measured.operations / measured.seconds;
  return {
    name: `daos_perf ${verb} ${bytes} B ${options.array ? 'array' : 'single value'}, ${inFlight} in flight`,
    opsPerSecond: ops,
    mbPerSecond: (ops * bytes) / 1e6,
    p50Us: measured.latency.percentile(50),
    p99Us: measured.latency.percentile(99),
    ...(echo ? { reference: ECHO_REFERENCE, referenceOpsPerSecond: echo.operations / echo.seconds } : {}),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function wholeNumber(text: string): number {
  const match = /^(\d+)([kKmMgG]?)$/.exec(text);
  if (!match?.[1]) throw new InvalidArgumentError('expected a whole number, with K, M or G if you like');
  const unit = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(match[2] ?? '').toLowerCase()] ?? 1;
  return Number(match[1]) * unit;
}

function count(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('expected at least 1');
  return value;
}

export function daosPerfProgram(): Command {
  return new Command('daos_perf')
    .description('Measures the object layer through the network: updates, fetches, verification.')
    .option('-P, --pool <pool>', 'pool, by label or UUID', 'tank')
    .option('-u, --pool-uuid <pool>', 'the same')
    .option('-X, --cont <container>', 'existing container; default: a new one, destroyed afterwards')
    .option('--agent-dir <dir>', "folder of the agent's socket")
    .option('-o, --objects <n>', 'objects', count, 1)
    .option('-d, --dkeys <n>', 'dkeys per object', count, 256)
    .option('-a, --akeys <n>', 'akeys per dkey', count, 16)
    .option('-n, --values <n>', 'values or extents per akey', count, 16)
    .option('-s, --size <bytes>', 'size of a value', wholeNumber, 64)
    .option('-A, --array [order]', 'array values; R: their extents in random order')
    .option('-G, --seed <n>', 'seed of the random order', wholeNumber, 0)
    .option('-c, --class <class>', 'TINY (S1), LARGE (SX), or a class name', 'LARGE')
    .option('-C, --credits <n>', 'operations in flight, up to 1024; 0: one by one', wholeNumber, 16)
    .option('-T, --type <type>', 'daos (echo needs the echo classes, which do not exist yet)', 'daos')
    .option('-w, --wait <seconds>', 'pause before each command', wholeNumber, 0)
    .option('-R, --run <commands>',
      'U update, F fetch, V verify; parameters after ";": p print, v verbose, i=N iterations, k new keys each, '
      + 'O= D= a= n= fewer objects, dkeys, akeys, values, o= s= part of an array value', 'U;p F;p')
    .option('--no-reference', 'do not measure the TCP echo')
    .option('--json', 'one JSON object per figure');
}

/** The program: parses arguments, runs, prints. */
export async function main(argv: readonly string[]): Promise<void> {
  const { poolUuid, ...options } = daosPerfProgram().parse([...argv]).opts<DaosPerfOptions & { poolUuid?: string }>();
  const figures = await runDaosPerf({ ...options, pool: poolUuid ?? options.pool });
  printFigures(figures, options.json === true);
}
