import { createRequire } from 'node:module';
import { hostname } from 'node:os';

import type { Logger as PinoLogger } from 'pino';

import { LogLevel, LogMask, logLevelLineName, logLevelParse } from './log_mask.js';
import { fileWriter, parseLogSize, stderrWriter, type LogWriter } from './log_writer.js';

/** Facts that belong to a message, kept apart from its text. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes the log lines of one facility. Messages are whole sentences without a final newline. */
export interface Logger {
  readonly facility: string;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  note(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  crit(message: string, fields?: LogFields): void;
  /** True when a message of this level would be written; guards costly arguments. */
  enabled(level: LogLevel): boolean;
}

export interface LogOptions {
  /** As D_LOG_MASK, e.g. `INFO,rpc=DEBUG`. Default: D_LOG_MASK, else ERR. */
  readonly mask?: string;
  /** As DD_SUBSYS. */
  readonly subsystems?: string;
  /** Log file; default D_LOG_FILE, else standard error. */
  readonly file?: string;
  /** Program name in each line; default `DAOS`. */
  readonly ident?: string;
  /** Level from which lines also go to standard error when there is a file; default DD_STDERR. */
  readonly stderrLevel?: LogLevel;
  /** Size at which the file is renamed to `<file>.old`; default D_LOG_SIZE, else 1 GiB. */
  readonly sizeMax?: number;
  /** Xstream (or thread) id shown in each line; default the process id, as clients of DAOS show. */
  readonly threadId?: number;
  /** `daos`: DAOS's text lines. `json`: one JSON record per line. Default D_LOG_FORMAT, else `daos`. */
  readonly format?: 'daos' | 'json';
}

const LINE_BYTES_MAX = 4096;
const LOG_SIZE_DEFAULT = 1024 ** 3;
const PINO_LEVELS = ['trace', 'debug', 'info', 'info', 'warn', 'error', 'fatal', 'fatal', 'fatal', 'fatal'] as const;

interface LogState {
  mask: LogMask;
  /** Changes with every new mask, so that loggers drop their cached level. */
  generation: number;
  ident: string;
  threadId: number;
  file: string | undefined;
  stderrLevel: LogLevel | undefined;
  sizeMax: number;
  format: 'daos' | 'json';
  writer: LogWriter | undefined;
  stderr: LogWriter | undefined;
  pino: PinoLogger | undefined;
}

function stateFromEnvironment(): LogState {
  const mask = new LogMask(LogLevel.ERR);
  const env = process.env;
  if (env['D_LOG_MASK']) mask.apply(env['D_LOG_MASK']);
  if (env['DD_SUBSYS']) mask.applySubsystems(env['DD_SUBSYS']);
  return {
    mask,
    generation: 0,
    ident: 'DAOS',
    threadId: process.pid,
    file: env['D_LOG_FILE'] || undefined,
    stderrLevel: env['DD_STDERR'] ? logLevelParse(env['DD_STDERR']) : undefined,
    sizeMax: parseLogSize(env['D_LOG_SIZE'] ?? '') ?? LOG_SIZE_DEFAULT,
    format: env['D_LOG_FORMAT'] === 'json' ? 'json' : 'daos',
    writer: undefined,
    stderr: undefined,
    pino: undefined,
  };
}

const state = stateFromEnvironment();

/** Changes how this thread logs. Options that are absent keep their value. A bad part of a mask is logged. */
export function configureLogging(options: LogOptions): void {
  if (options.ident !== undefined) state.ident = options.ident;
  if (options.threadId !== undefined) state.threadId = options.threadId;
  if (options.stderrLevel !== undefined) state.stderrLevel = options.stderrLevel;
  if (options.sizeMax !== undefined) state.sizeMax = options.sizeMax;
  if (options.format !== undefined) state.format = options.format;
  if (options.file !== undefined && options.file !== state.file) {
    state.writer?.close();
    state.writer = undefined;
    state.pino = undefined;
    state.file = options.file || undefined;
  }
  if (options.subsystems !== undefined) state.mask.applySubsystems(options.subsystems);
  const complaints = options.mask === undefined ? [] : state.mask.apply(options.mask);
  state.generation++;
  for (const complaint of complaints) getLogger('clog').error(`${complaint}, ignored`);
}

/** Level from which a facility is logged now. */
export function logLevelOf(facility: string): LogLevel {
  return state.mask.levelOf(facility);
}

class FacilityLogger implements Logger {
  private generation = -1;
  private level: LogLevel = LogLevel.EMIT;

  constructor(readonly facility: string) {}

  enabled(level: LogLevel): boolean {
    if (this.generation !== state.generation) {
      this.level = state.mask.levelOf(this.facility);
      this.generation = state.generation;
    }
    return level >= this.level;
  }

  debug(message: string, fields?: LogFields): void {
    this.log(LogLevel.DEBUG, message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.log(LogLevel.INFO, message, fields);
  }

  note(message: string, fields?: LogFields): void {
    this.log(LogLevel.NOTE, message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.log(LogLevel.WARN, message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.log(LogLevel.ERR, message, fields);
  }

  crit(message: string, fields?: LogFields): void {
    this.log(LogLevel.CRIT, message, fields);
  }

  private log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (this.enabled(level)) emit(level, this.facility, message, fields);
  }
}

const loggers = new Map<string, Logger>();

/** The logger of a facility, e.g. `pool`. Cheap to call and to keep. */
export function getLogger(facility: string): Logger {
  let logger = loggers.get(facility);
  if (!logger) {
    logger = new FacilityLogger(facility);
    loggers.set(facility, logger);
  }
  return logger;
}

function emit(level: LogLevel, facility: string, message: string, fields: LogFields | undefined): void {
  const writer = openWriter();
  if (state.format === 'json') {
    pinoLogger(writer)[PINO_LEVELS[level]]({ facility, tid: state.threadId, ...fields }, message);
    return;
  }
  const line = formatLine(level, facility, message, fields);
  writer.write(line);
  if (state.file !== undefined && state.stderrLevel !== undefined && level >= state.stderrLevel) {
    state.stderr ??= stderrWriter();
    state.stderr.write(line);
  }
}

function openWriter(): LogWriter {
  if (state.writer) return state.writer;
  if (state.file !== undefined) {
    try {
      state.writer = fileWriter(state.file, state.sizeMax);
      return state.writer;
    } catch (error) {
      process.stderr.write(`cannot write log file ${state.file}: ${(error as Error).message}\n`);
      state.file = undefined;
    }
  }
  state.writer = stderrWriter();
  return state.writer;
}

/** pino costs some 20 ms to load: only a program that writes JSON records pays for it. */
function pinoLogger(writer: LogWriter): PinoLogger {
  if (!state.pino) {
    const pino = createRequire(import.meta.url)('pino') as typeof import('pino').default;
    state.pino = pino({ level: 'trace', base: { ident: state.ident, pid: process.pid, host: host() } }, writer);
  }
  return state.pino;
}

let cachedHost: string | undefined;
function host(): string {
  cachedHost ??= hostname().split('.')[0] ?? 'localhost';
  return cachedHost;
}

function formatLine(level: LogLevel, facility: string, message: string, fields: LogFields | undefined): string {
  const text = fields ? `${message}${formatFields(fields)}` : message;
  const oneLine = text.includes('\n') ? text.replaceAll('\n', ' | ') : text;
  const line = `${logLevelLineName(level)} ${timestamp()} ${host()} ${state.ident}` +
    `[${process.pid}/${state.threadId}/0] ${facility.padEnd(4)} ${oneLine}`;
  return line.length < LINE_BYTES_MAX ? `${line}\n` : `${line.slice(0, LINE_BYTES_MAX - 1)}\n`;
}

function formatFields(fields: LogFields): string {
  let out = '';
  for (const [key, value] of Object.entries(fields)) {
    out += ` ${key}=${value instanceof Error ? value.message : typeof value === 'string' ? value : format(value)}`;
  }
  return out;
}

function format(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString() : v));
}

/** Local time with microseconds, as DAOS prints it. */
function timestamp(): string {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const date = new Date(Math.floor(micros / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.` +
    String(micros % 1_000_000).padStart(6, '0');
}
