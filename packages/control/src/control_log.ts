import { createWriteStream, type WriteStream } from 'node:fs';
import { hostname } from 'node:os';

/** Masks of a control-plane log, most severe first; `DISABLED` shows nothing. */
export const CONTROL_LOG_MASKS = ['DISABLED', 'ERROR', 'NOTICE', 'INFO', 'DEBUG', 'TRACE'] as const;
export type ControlLogMask = (typeof CONTROL_LOG_MASKS)[number];
export type ControlLogLevel = Exclude<ControlLogMask, 'DISABLED'>;

/** Bytes of one line; a longer message is cut. */
const LINE_LENGTH_MAX = 16 * 1024;

export interface ControlLogOptions {
  readonly mask?: ControlLogMask;
  /** Empty or absent: the console. */
  readonly file?: string;
  /** One JSON object per line. */
  readonly json?: boolean;
}

/**
 * The log of daos_server and daos_agent. In a file: `HOST LEVEL YYYY/MM/DD hh:mm:ss message`. On the console: INFO bare
 * on stdout, the others with their level before them, NOTICE and ERROR on stderr.
 */
export class ControlLog {
  private stream: WriteStream | undefined;
  private readonly host = hostname().split('.')[0] ?? 'localhost';

  private constructor(
    private mask: number,
    private readonly json: boolean,
    private readonly toConsole: boolean,
  ) {}

  /** Opens the log; rejects when the file cannot be made. */
  static async open(options: ControlLogOptions = {}): Promise<ControlLog> {
    const file = options.file ?? '';
    const log = new ControlLog(CONTROL_LOG_MASKS.indexOf(options.mask ?? 'INFO'), options.json ?? false, file === '');
    if (file !== '') log.stream = await openStream(file);
    return log;
  }

  error(message: string): void {
    this.write('ERROR', message);
  }
  notice(message: string): void {
    this.write('NOTICE', message);
  }
  info(message: string): void {
    this.write('INFO', message);
  }
  debug(message: string): void {
    this.write('DEBUG', message);
  }
  trace(message: string): void {
    this.write('TRACE', message);
  }

  enabled(level: ControlLogLevel): boolean {
    return CONTROL_LOG_MASKS.indexOf(level) <= this.mask;
  }

  setMask(mask: ControlLogMask): void {
    this.mask = CONTROL_LOG_MASKS.indexOf(mask);
  }

  /** Writes out what is buffered. */
  async close(): Promise<void> {
    const stream = this.stream;
    this.stream = undefined;
    if (stream) await new Promise<void>((resolve) => stream.end(resolve));
  }

  private write(level: ControlLogLevel, message: string): void {
    if (!this.enabled(level)) return;
    const text = oneLine(message);
    if (this.toConsole) this.writeConsole(level, text);
    else this.stream?.write(`${this.json ? this.jsonLine(level, text) : `${this.host} ${level} ${stamp(new Date())} ${text}`}\n`);
  }

  private writeConsole(level: ControlLogLevel, text: string): void {
    const out = level === 'ERROR' || level === 'NOTICE' ? process.stderr : process.stdout;
    if (this.json) out.write(`${this.jsonLine(level, text)}\n`);
    else out.write(level === 'INFO' ? `${text}\n` : `${level}: ${text}\n`);
  }

  private jsonLine(level: ControlLogLevel, text: string): string {
    return JSON.stringify({ level, time: new Date().toISOString(), hostname: this.host, message: text });
  }
}

function openStream(path: string): Promise<WriteStream> {
  return new Promise((resolve, reject) => {
    const stream = createWriteStream(path, { flags: 'a', mode: 0o644 });
    stream.once('error', (cause) => {
      reject(new Error(`create log file: ${cause.message}`, { cause }));
    });
    stream.once('open', () => {
      // A full disk must not stop the service: later lines are lost, and said to be lost on stderr once.
      stream.removeAllListeners('error');
      stream.on('error', (error) => process.stderr.write(`ERROR: log file ${path}: ${error.message}\n`));
      resolve(stream);
    });
  });
}

function oneLine(message: string): string {
  const text = message.trimEnd().replaceAll('\n', '\\n');
  return text.length <= LINE_LENGTH_MAX ? text : `${text.slice(0, LINE_LENGTH_MAX)}...`;
}

/** Local time as `YYYY/MM/DD hh:mm:ss`. */
function stamp(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())} `
    + `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
