import { close, constants, fdatasync, fstat, open, write } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

import { DaosError } from '@daos/common';

/**
 * One of the two files of an index's write-ahead log. Records lie back to back from the start of the file,
 * each on sectors of its own, so that no acknowledged sector is ever written again while it counts: magic u32
 * | generation u32 | sequence u32 | payload bytes u32 | crc u32 | payload. Generations alternate between the
 * files; a file is begun anew with its next generation when all that it holds is durable in the index.
 * Sequence numbers run on from one generation to the next: a record counts only when all before it are there.
 */
const MAGIC = 0x4441574c;
export const RECORD_HEADER_BYTES = 20;
const SECTOR_BYTES = 512;
/**
 * Space that is written with zeros ahead of the log, so that a flush need not allocate blocks in the file
 * system.
 */
const GROW_BYTES = 2 * 1024 * 1024;
const GROW_BYTES_FIRST = 256 * 1024;

const openAsync = promisify(open);
const closeAsync = promisify(close);

export class Wal {
  private position = 0;
  private growing: Promise<void> | undefined;
  private generation = 0;

  private constructor(
    private readonly fd: number,
    private readonly bytesMax: number,
    /** Up to here the file has blocks: an append need not wait for the file system to find some. */
    private zeroed: number,
  ) {}

  static async create(path: string): Promise<void> {
    const fd = await openAsync(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600);
    try {
      await writeAll(fd, Buffer.alloc(GROW_BYTES_FIRST), GROW_BYTES_FIRST, 0);
      await promisify(fdatasync)(fd);
    } finally {
      await closeAsync(fd);
    }
  }

  /** Opens a file for new records; call `restart` before the first. */
  static async open(path: string, bytesMax: number): Promise<Wal> {
    const fd = await openAsync(path, constants.O_RDWR | constants.O_DSYNC);
    const { size } = await promisify(fstat)(fd);
    return new Wal(fd, bytesMax, size);
  }

  /**
   * The payloads of the intact records of `generation` from `sequence` on, in order; none when the file is
   * missing or holds another generation.
   */
  static async replay(path: string, generation: number, sequence: number): Promise<Buffer[]> {
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new DaosError('DF_INVAL', `the log cannot be read: ${error.message}`, { cause: error });
    });
    const payloads: Buffer[] = [];
    for (let at = 0; ; ) {
      const payload = recordAt(content, at, generation, (sequence + payloads.length) >>> 0);
      if (!payload) return payloads;
      payloads.push(payload);
      at += recordBytes(payload.length);
    }
  }

  /** Bytes logged in this generation. */
  get bytes(): number {
    return this.position;
  }

  hasRoomFor(payloadBytes: number): boolean {
    return this.position + recordBytes(payloadBytes) <= this.bytesMax;
  }

  /**
   * Begins another generation; what the file held must not be needed any more, and no append be under way.
   */
  restart(generation: number): void {
    this.generation = generation;
    this.position = 0;
  }

  /**
   * Logs one record: `buffer` holds room for the header, then `payloadBytes` bytes, then room to the end of a
   * sector. Resolves when it is durable. `buffer` must not change before.
   */
  append(buffer: Buffer, payloadBytes: number, sequence: number): Promise<void> {
    const bytes = recordBytes(payloadBytes);
    const at = this.position;
    this.position += bytes;
    buffer.writeUInt32LE(MAGIC, 0);
    buffer.writeUInt32LE(this.generation, 4);
    buffer.writeUInt32LE(sequence, 8);
    buffer.writeUInt32LE(payloadBytes, 12);
    buffer.fill(0, RECORD_HEADER_BYTES + payloadBytes, bytes);
    buffer.writeUInt32LE(recordCrc(buffer, payloadBytes), 16);
    // zeros on their way must not land on top of a record
    if (this.growing && at + bytes > this.zeroed) return this.growing.then(() => writeAll(this.fd, buffer, bytes, at));
    if (at + bytes > this.zeroed) this.zeroed = at + bytes;
    const done = writeAll(this.fd, buffer, bytes, at);
    if (this.position + GROW_BYTES / 4 > this.zeroed) this.grow();
    return done;
  }

  async close(): Promise<void> {
    await this.growing;
    await closeAsync(this.fd);
  }

  private grow(): void {
    if (this.growing || this.zeroed >= this.bytesMax) return;
    const from = this.zeroed;
    // running out of disk here is no failure yet: the append that needs the space will tell
    this.growing = writeAll(this.fd, Buffer.alloc(GROW_BYTES), GROW_BYTES, from).then(
      () => {
        this.zeroed = Math.max(this.zeroed, from + GROW_BYTES);
        this.growing = undefined;
      },
      () => {
        this.growing = undefined;
      },
    );
  }
}

/** Bytes of a record on disk. */
export function recordBytes(payloadBytes: number): number {
  return Math.ceil((RECORD_HEADER_BYTES + payloadBytes) / SECTOR_BYTES) * SECTOR_BYTES;
}

function recordCrc(buffer: Buffer, payloadBytes: number): number {
  const head = crc32(buffer.subarray(0, 16));
  return crc32(buffer.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + payloadBytes), head);
}

function recordAt(content: Buffer, at: number, generation: number, sequence: number): Buffer | undefined {
  if (at + RECORD_HEADER_BYTES > content.length) return undefined;
  const record = content.subarray(at);
  const payloadBytes = record.readUInt32LE(12);
  const known =
    record.readUInt32LE(0) === MAGIC &&
    record.readUInt32LE(4) === generation &&
    record.readUInt32LE(8) === sequence &&
    RECORD_HEADER_BYTES + payloadBytes <= record.length;
  if (!known || record.readUInt32LE(16) !== recordCrc(record, payloadBytes)) return undefined;
  return record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + payloadBytes);
}

function writeAll(fd: number, buffer: Buffer, bytes: number, at: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (done: number): void => {
      write(fd, buffer, done, bytes - done, at + done, (error, written) => {
        if (error) reject(new DaosError(error.code === 'ENOSPC' ? 'NOSPACE' : 'NVME_IO', `log: ${error.message}`, { cause: error }));
        else if (done + written < bytes) step(done + written);
        else resolve();
      });
    };
    step(0);
  });
}
