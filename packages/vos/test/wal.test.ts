import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RECORD_HEADER_BYTES, Wal, recordBytes } from '../src/umem/wal.js';
import { MIB, TestObject, TestPool, bytes } from './fixture.js';

let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vos-wal-'));
  path = join(dir, 'log');
  await Wal.create(path);
});

afterEach(() => rm(dir, { recursive: true, force: true }));

function record(text: string): { buffer: Buffer; length: number } {
  const buffer = Buffer.alloc(recordBytes(text.length));
  buffer.write(text, RECORD_HEADER_BYTES);
  return { buffer, length: text.length };
}

let sequence: number;

async function append(wal: Wal, ...texts: string[]): Promise<void> {
  await Promise.all(
    texts.map((text) => {
      const { buffer, length } = record(text);
      return wal.append(buffer, length, sequence++);
    }),
  );
}

async function replayed(generation: number, from = 1): Promise<string[]> {
  return (await Wal.replay(path, generation, from)).map(String);
}

async function fresh(generation = 1): Promise<Wal> {
  sequence = 1;
  const wal = await Wal.open(path, MIB);
  wal.restart(generation);
  return wal;
}

describe('the log', () => {
  it('gives back its records in order', async () => {
    const wal = await fresh();
    const long = 'x'.repeat(2000);
    await append(wal, 'one', long, 'three');
    await wal.close();
    expect(await replayed(1)).toEqual(['one', long, 'three']);
    expect(await replayed(2)).toEqual([]);
    expect(await replayed(1, 2)).toEqual([]);
  });

  it('ends at a torn record, also when whole ones lie behind it', async () => {
    const wal = await fresh();
    await append(wal, 'one', 'two', 'three');
    await wal.close();
    const file = await open(path, 'r+');
    await file.write(Buffer.from('?'), 0, 1, recordBytes(3) + RECORD_HEADER_BYTES + 1);
    await file.close();
    expect(await replayed(1)).toEqual(['one']);
  });

  it('starts anew after a checkpoint: older records never come back', async () => {
    const wal = await fresh();
    await append(wal, 'one', 'two', 'three');
    wal.restart(2);
    expect(wal.bytes).toBe(0);
    await append(wal, 'new');
    await wal.close();
    expect(await replayed(2, 4)).toEqual(['new']);
    // records that were lost before these leave a gap, behind which nothing counts
    expect(await replayed(2, 3)).toEqual([]);
  });

  it('grows ahead of what is written and keeps every record', async () => {
    const wal = await fresh();
    const texts = Array.from({ length: 150 }, (_, i) => `${i} `.repeat(1000));
    for (let i = 0; i < texts.length; i += 10) await append(wal, ...texts.slice(i, i + 10));
    await wal.close();
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
