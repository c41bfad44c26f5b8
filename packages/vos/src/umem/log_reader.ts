import type { LogFile } from './log_files.js';
import { RECORD_HEADER_BYTES, SECTOR_BYTES, recordDecode, recordExtent, type LogRecord, type RecordPlace } from './log_record.js';
import { sequenceAfter } from './sequence.js';

/** Of a log file, so much is in memory at a time; more only for a record that is larger. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * The intact records of a generation from `sequence` on, in order; none when the file holds another generation. A
 * record is lent until the next one is asked for. DER_DF_INCOMPT at a record of an unknown version.
 */
export async function* readRecords(file: LogFile, { generation, sequence }: RecordPlace): AsyncGenerator<LogRecord> {
  const window = new Window(file, await file.size());
  for (let at = 0, number = sequence; ; number = sequenceAfter(number, 1)) {
    const header = await window.read(at, RECORD_HEADER_BYTES);
    const bytes = header && recordExtent(header, { generation, sequence: number });
    const whole = bytes === undefined ? undefined : await window.read(at, bytes);
    const record = whole && recordDecode(whole);
    if (!record || bytes === undefined) return;
    yield record;
    at += bytes;
  }
}

class Window {
  private buffer = Buffer.alloc(0);
  private start = 0;

  constructor(
    private readonly file: LogFile,
    private readonly size: number,
  ) {}

  /** Bytes `at` to `at + bytes` of the file; undefined when it ends before. */
  async read(at: number, bytes: number): Promise<Buffer | undefined> {
    if (at + bytes > this.size) return undefined;
    if (at + bytes > this.start + this.buffer.length) {
      const wanted = Math.min(this.size - at, Math.max(WINDOW_BYTES, bytes));
      const wider = Buffer.allocUnsafeSlow(Math.ceil(wanted / SECTOR_BYTES) * SECTOR_BYTES).subarray(0, wanted);
      const count = await this.file.read(wider, at);
      this.buffer = wider.subarray(0, count);
      this.start = at;
      if (count < bytes) return undefined;
    }
    return this.buffer.subarray(at - this.start, at - this.start + bytes);
  }
}
