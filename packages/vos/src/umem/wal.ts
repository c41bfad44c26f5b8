import type { LogFile, LogFiles } from './log_files.js';

/**
 * One of the two files of an index's write-ahead log. Records lie back to back from the start of the file (see
 * `log_record.ts`). Generations alternate between the files; a file is begun anew with its next generation when
 * all that it holds is durable in the index. Sequence numbers run on from one generation to the next: a record
 * counts only when all before it are there.
 */

/**
 * Space that is written with zeros ahead of the log, so that a flush need not allocate blocks in the file
 * system.
 */
const GROW_BYTES = 2 * 1024 * 1024;
const GROW_BYTES_FIRST = 256 * 1024;

export class Wal {
  private position = 0;
  private growing: Promise<void> | undefined;
  private readonly underWay = new Set<Promise<void>>();

  private constructor(
    private readonly file: LogFile,
    private readonly bytesMax: number,
    /** Up to here the file has blocks: an append need not wait for the file system to find some. */
    private zeroed: number,
  ) {}

  static async create(files: LogFiles, path: string): Promise<void> {
    const file = await files.create(path);
    try {
      await file.write(Buffer.alloc(GROW_BYTES_FIRST), GROW_BYTES_FIRST, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** For new records in an open file, which this object owns now; call `restart` before the first. */
  static async open(file: LogFile, bytesMax: number): Promise<Wal> {
    let size = await file.size();
    if (size > bytesMax + GROW_BYTES) {
      // the limit was higher when it grew; nothing in it counts any more
      await file.truncate(bytesMax);
      size = bytesMax;
    }
    return new Wal(file, bytesMax, size);
  }

  /** Bytes logged in this generation. */
  get bytes(): number {
    return this.position;
  }

  hasRoomFor(recordBytes: number): boolean {
    return this.position + recordBytes <= this.bytesMax;
  }

  /**
   * Begins another generation; what the file held must not be needed any more, and no append be under way.
   */
  restart(): void {
    this.position = 0;
  }

  /** Logs a sealed record. Resolves when it is durable; `buffer` must not change before. */
  append(buffer: Uint8Array, bytes: number): Promise<void> {
    const at = this.position;
    this.position += bytes;
    const { growing } = this;
    const write = (): Promise<void> => this.file.writeDurably(buffer, bytes, at);
    // zeros on their way must not land on top of a record
    const mustWait = growing !== undefined && at + bytes > this.zeroed;
    if (!mustWait && at + bytes > this.zeroed) this.zeroed = at + bytes;
    const done = mustWait ? growing.then(write) : write();
    this.underWay.add(done);
    const forget = (): void => {
      this.underWay.delete(done);
    };
    done.then(forget, forget);
    if (!mustWait && this.position + GROW_BYTES / 4 > this.zeroed) this.grow();
    return done;
  }

  /** Logs a sealed record in this turn; it is durable after the next `sync`. */
  appendNow(buffer: Uint8Array, bytes: number): void {
    const at = this.position;
    this.position += bytes;
    if (at + bytes > this.zeroed) this.zeroed = at + bytes;
    this.file.writeNow(buffer, bytes, at);
  }

  /** Resolves when all that was appended before is durable. */
  sync(): Promise<void> {
    return this.file.sync();
  }

  /** Waits for what is under way: a descriptor that is closed below a write may by then be another file's. */
  async close(): Promise<void> {
    await Promise.allSettled(this.underWay);
    await this.growing;
    await this.file.close();
  }

  private grow(): void {
    if (this.growing || this.zeroed >= this.bytesMax) return;
    const from = this.zeroed;
    // running out of disk here is no failure yet: the append that needs the space will tell
    this.growing = this.writeZeros(from)
      .then(
        () => {
          this.zeroed = Math.max(this.zeroed, from + GROW_BYTES);
        },
        () => undefined,
      )
      .finally(() => {
        this.growing = undefined;
      });
  }

  private async writeZeros(from: number): Promise<void> {
    await this.file.write(Buffer.alloc(GROW_BYTES), GROW_BYTES, from);
    await this.file.sync();
  }
}
