import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom } from '@daos/gurt';
import { crc32c } from '@node-rs/crc32';

import { IndexKey } from '../../src/layout/index_key.js';
import { LmdbUmem } from '../../src/umem/lmdb_umem.js';
import { openLmdb, type LmdbStore } from '../../src/umem/lmdb_store.js';
import type { UmemEvent } from '../../src/umem/umem_event.js';
import type { UmemOptions } from '../../src/umem/umem_options.js';
import { FaultyDisk } from './faulty_disk.js';

const USABLE_BYTES = 16 * 1024 * 1024;
export const DATA = 'data';

/** An index whose log and data file are on a faulty disk. */
export class TestUmem {
  readonly disk = new FaultyDisk(seededRandom(7), 0);
  readonly events: UmemEvent[] = [];
  umem!: LmdbUmem;
  private store: LmdbStore | undefined;

  private constructor(
    private readonly dir: string,
    private readonly options: UmemOptions,
  ) {}

  /** Checkpoints are made only when the options say so. */
  static async create(options: UmemOptions = {}): Promise<TestUmem> {
    const dir = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'umem-'));
    const test = new TestUmem(dir, options);
    await LmdbUmem.create(test.paths, USABLE_BYTES, test.allOptions);
    await test.disk.create(DATA);
    test.disk.overwrite(DATA, 0, Buffer.alloc(64 * 1024));
    await test.open();
    return test;
  }

  async open(more: UmemOptions = {}): Promise<LmdbUmem> {
    this.umem = await LmdbUmem.open(this.paths, USABLE_BYTES, { ...this.allOptions, ...more });
    return this.umem;
  }

  /** The power is cut while no commit of LMDB is under way; the next `open` finds what is left. */
  async crash(): Promise<void> {
    this.disk.crash();
    this.disk.fault = () => undefined;
    await this.store?.close();
  }

  put(key: string, value: string): void {
    this.umem.put(keyOf(key), Buffer.from(value));
  }

  get(key: string): string | undefined {
    const value = this.umem.get(keyOf(key));
    return value && String(Buffer.from(value));
  }

  /** The batch that is being collected depends on these bytes. */
  writeData(offset: number, text: string): void {
    const bytes = Buffer.from(text);
    this.umem.dependsOn({ offset, bytes: bytes.length, crc: crc32c(bytes), done: this.writeDataOnly(offset, text) });
  }

  async writeDataOnly(offset: number, text: string): Promise<void> {
    const file = await this.disk.open(DATA);
    await file.writeDurably(Buffer.from(text), text.length, offset);
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }

  async destroy(): Promise<void> {
    await this.umem.close().catch(() => undefined);
    await rm(this.dir, { recursive: true, force: true });
  }

  private get paths(): { index: string; logs: readonly [string, string] } {
    return { index: join(this.dir, 'index'), logs: ['log.0', 'log.1'] };
  }

  private get allOptions(): UmemOptions {
    return {
      checkpoint: { mode: 'lazy', frequencySeconds: 5, thresholdPercent: 50 },
      // as large as the files are made: nothing is written but records
      logBytesMax: 256 * 1024,
      logFiles: this.disk,
      readData: (offset, bytes) => Promise.resolve(this.disk.bytes(DATA).subarray(offset, offset + bytes)),
      onEvent: (event) => this.events.push(event),
      ...this.options,
      openStore: (path, usableBytes) => (this.store = (this.options.openStore ?? openLmdb)(path, usableBytes)),
    };
  }
}

export function keyOf(text: string): IndexKey {
  return new IndexKey().space(0x60).raw(Buffer.from(text));
}
