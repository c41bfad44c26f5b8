import { seededRandom } from '@daos/gurt';

import { BioFile } from '../src/index.js';
import { FaultyIo, MemoryIo } from '../src/testing/index.js';

async function twoBlocks(): Promise<{ below: MemoryIo; io: FaultyIo; file: BioFile }> {
  const below = new MemoryIo();
  const io = new FaultyIo(below);
  const file = await BioFile.createOn(io, 1 << 20);
  await file.write(0, [Buffer.alloc(4096, 1)]);
  await file.flush();
  return { below, io, file };
}

async function restart(below: MemoryIo): Promise<BioFile> {
  return BioFile.openOn(new FaultyIo(below));
}

describe('a crash', () => {
  it('keeps what was flushed and loses the rest', async () => {
    const { below, io, file } = await twoBlocks();
    await file.write(0, [Buffer.alloc(4096, 2)]);
    await file.write(4096, [Buffer.alloc(4096, 3)]);
    expect((await file.read(0, 1))[0]).toBe(2);
    await io.crash();
    await expect(file.read(0, 1)).rejects.toMatchObject({ der: 'NVME_IO' });
    await expect(file.write(0, [Buffer.alloc(1)])).rejects.toMatchObject({ der: 'NVME_IO' });
    const again = await restart(below);
    expect(Buffer.from(await again.read(0, 8192))).toEqual(Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(4096)]));
  });

  it('can keep any sectors of what was not flushed, the same ones for the same seed', async () => {
    const images: Buffer[] = [];
    for (const seed of [7, 7, 8]) {
      const { below, io, file } = await twoBlocks();
      await file.write(0, [Buffer.alloc(8192, 2)]);
      await io.crash({ seed });
      images.push(Buffer.from(await (await restart(below)).read(0, 8192)));
    }
    const [first, same, other] = images as [Buffer, Buffer, Buffer];
    expect(first.equals(same)).toBe(true);
    expect(first.equals(other)).toBe(false);
    const kinds = new Set(Array.from({ length: 16 }, (_, i) => first[i * 512]));
    expect(kinds.has(2)).toBe(true);
    expect(kinds.size).toBeGreaterThan(1);
    for (let i = 0; i < 16; i++) expect(new Set(first.subarray(i * 512, (i + 1) * 512)).size).toBe(1);
  });

  it('never loses an acknowledged flush, over random programs', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed);
      const below = new MemoryIo();
      let io = new FaultyIo(below);
      let file = await BioFile.createOn(io, 64 * 4096);
      const durable = Buffer.alloc(64 * 4096);
      const written = Buffer.alloc(64 * 4096);
      const touched = new Set<number>();
      for (let step = 0; step < 60; step++) {
        const block = random.below(64);
        const choice = random.below(10);
        if (choice < 7) {
          const data = random.bytes(4096);
          written.set(data, block * 4096);
          touched.add(block);
          void file.write(block * 4096, [data]);
        } else if (choice < 9) {
          await file.flush();
          written.copy(durable);
          touched.clear();
        } else {
          await new Promise((resolve) => setImmediate(resolve));
          await io.crash({ seed: seed * 100 + step });
          await file.close();
          io = new FaultyIo(below);
          file = await BioFile.openOn(io);
          const now = Buffer.from(await file.read(0, 64 * 4096));
          const lost: number[] = [];
          for (let i = 0; i < 64; i++) {
            const [from, to] = [i * 4096, (i + 1) * 4096];
            if (!touched.has(i) && now.compare(durable, from, to, from, to) !== 0) lost.push(i);
          }
          expect({ seed, step, lost }).toEqual({ seed, step, lost: [] });
          now.copy(durable);
          now.copy(written);
          touched.clear();
        }
      }
      await file.close();
    }
  });
});

describe('faults', () => {
  it('meet the calls that the rule names, so often as it says', async () => {
    const { io, file } = await twoBlocks();
    io.inject({ step: 'read', when: ({ offset }) => offset === 4096, after: 1, times: 2, effect: { kind: 'fail' } });
    const outcome = (): Promise<string> => file.read(0, 1).then(() => 'ok', () => 'failed');
    expect([await outcome(), await outcome(), await outcome(), await outcome()]).toEqual(['ok', 'failed', 'failed', 'ok']);
    const disarm = io.inject({ step: 'write', effect: { kind: 'fail', code: 'ENOSPC' } });
    await expect(file.write(0, [Buffer.alloc(1)])).rejects.toMatchObject({ der: 'NOSPACE' });
    disarm();
    await file.write(0, [Buffer.alloc(1)]);
  });

  it('tear a write', async () => {
    const { io, file } = await twoBlocks();
    io.inject({ step: 'write', times: 1, effect: { kind: 'tear', bytes: 1000 } });
    await expect(file.write(0, [Buffer.alloc(4096, 9)])).rejects.toMatchObject({ der: 'NVME_IO' });
    expect(Buffer.from(await file.read(0, 4096))).toEqual(Buffer.concat([Buffer.alloc(1000, 9), Buffer.alloc(3096, 1)]));
  });

  it('fail a flush, which loses what it should have made durable, and ends the file', async () => {
    const { io, file } = await twoBlocks();
    io.inject({ step: 'flush', times: 1, effect: { kind: 'fail' } });
    void file.write(0, [Buffer.alloc(4096, 9)]).catch(() => undefined);
    await expect(file.flush()).rejects.toMatchObject({ der: 'NVME_IO' });
    expect((await file.read(0, 1))[0]).toBe(1);
    await expect(file.flush()).rejects.toMatchObject({ der: 'NVME_IO' });
  });

  it('stall a call until it is let go', async () => {
    const { io, file } = await twoBlocks();
    io.inject({ step: 'flush', times: 1, effect: { kind: 'stall' } });
    let done = false;
    const flushed = file.flush().then(() => (done = true));
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    io.releaseStalls();
    await flushed;
  });
});
