import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LogBuffer, replayOps } from '../src/umem/log_buffer.js';
import { IndexKey } from '../src/layout/index_key.js';
import { NODE_LOG_FILES } from '../src/umem/log_files.js';
import { readRecords } from '../src/umem/log_reader.js';
import { RECORD_HEADER_BYTES, recordBytes } from '../src/umem/log_record.js';
import { Wal } from '../src/umem/wal.js';
import { MIB, TestObject, TestPool, bytes } from './fixture.js';

let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vos-wal-'));
  path = join(dir, 'log');
  await Wal.create(NODE_LOG_FILES, path);
});

afterEach(() => rm(dir, { recursive: true, force: true }));

/** A log file of one generation, whose records hold a text each. */
class TextLog {
  private sequence = 1;

  private constructor(
    readonly wal: Wal,
    private generation: number,
  ) {}

  static async open(generation = 1): Promise<TextLog> {
    const wal = await Wal.open(await NODE_LOG_FILES.open(path), MIB);
    wal.restart();
    return new TextLog(wal, generation);
  }

  restart(generation: number): void {
    this.generation = generation;
    this.wal.restart();
  }

  async append(...texts: string[]): Promise<void> {
    await Promise.all(
      texts.map((text) => {
        const record = new LogBuffer();
        record.put(KEY, Buffer.from(text));
        const length = record.seal({ generation: this.generation, sequence: this.sequence++, durable: 0 });
        return this.wal.append(record.buffer, length);
      }),
    );
  }

  close(): Promise<void> {
    return this.wal.close();
  }
}

const KEY = new IndexKey().space(1);
/** Bytes in front of the value in a modification: lengths and key. */
const OP_BYTES = 7;

async function replayed(generation: number, sequence = 1): Promise<string[]> {
  const file = await NODE_LOG_FILES.open(path);
  const texts: string[] = [];
  for await (const { ops } of readRecords(file, { generation, sequence })) replayOps(ops, (_, value) => texts.push(String(value)));
  await file.close();
  return texts;
}

describe('the log', () => {
  it('gives back its records in order', async () => {
    const log = await TextLog.open();
    const long = 'x'.repeat(2000);
    await log.append('one', long, 'three');
    await log.close();
    expect(await replayed(1)).toEqual(['one', long, 'three']);
    expect(await replayed(2)).toEqual([]);
    expect(await replayed(1, 2)).toEqual([]);
  });

  it('ends at a torn record, also when whole ones lie behind it', async () => {
    const log = await TextLog.open();
    await log.append('one', 'two', 'three');
    await log.close();
    const file = await open(path, 'r+');
    await file.write(Buffer.from('?'), 0, 1, recordBytes(3 + OP_BYTES) + RECORD_HEADER_BYTES + OP_BYTES);
    await file.close();
    expect(await replayed(1)).toEqual(['one']);
  });

  it('starts anew after a checkpoint: older records never come back', async () => {
    const log = await TextLog.open();
    await log.append('one', 'two', 'three');
    log.restart(2);
    expect(log.wal.bytes).toBe(0);
    await log.append('new');
    await log.close();
    expect(await replayed(2, 4)).toEqual(['new']);
    // records that were lost before these leave a gap, behind which nothing counts
    expect(await replayed(2, 3)).toEqual([]);
  });

  it('grows ahead of what is written and keeps every record', async () => {
    const log = await TextLog.open();
    const texts = Array.from({ length: 150 }, (_, i) => `${i} `.repeat(1000));
    for (let i = 0; i < texts.length; i += 10) await log.append(...texts.slice(i, i + 10));
    await log.close();
    expect(await replayed(1)).toEqual(texts);
  });
});

describe('a pool whose log is damaged at some place', () => {
  it('opens with the updates before it, none half there', async () => {
    for (let at = 0; at < 8; at++) {
      const test = await TestPool.create({ nvmeBytes: 0 });
      try {
        const { uuid } = await test.newContainer();
        const object = new TestObject(test.pool.containerOpen(uuid));
        for (let i = 1; i <= 8; i++) await object.updateSingle(BigInt(i), bytes('d'), bytes('a'), `value ${i}`);
        await test.crash(async (copy) => {
          const log = await Promise.all(['log.0', 'log.1'].map(async (name) => ({ name, text: await readFile(join(copy, name), 'latin1') })));
          const used = log.find(({ text }) => text.includes('value 8'))?.name ?? '';
          const file = await open(join(copy, used), 'r+');
          // the container's record, then one per update, a sector each
          await file.write(Buffer.from('?'), 0, 1, (1 + at) * 512 + 40);
          await file.close();
        });
        const again = new TestObject(test.pool.containerOpen(uuid));
        expect(await again.fetchSingle(100n, bytes('d'), bytes('a'))).toBe(at === 0 ? '' : `value ${at}`);
        await again.updateSingle(200n, bytes('d'), bytes('a'), 'goes on');
      } finally {
        await test.destroy();
      }
    }
  });
});
