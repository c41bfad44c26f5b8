import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DaosError } from '@daos/common';

import { BioFile, BufferPool, NodeIo, UringIo, type BioFileOpenOptions, type BlockIo, type WriteRun } from '../src/index.js';
import { MemoryIo } from '../src/testing/index.js';

let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bio-'));
  path = join(dir, 'data');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function bytes(length: number, seed: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = (i * 31 + seed) & 0xff;
  return out;
}

async function codeOf(run: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof run === 'function' ? run() : run);
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
  return 'none';
}

describe('format', () => {
  it('reopens what it created, with its capacity in whole blocks', async () => {
    const made = await BioFile.create(path, 1_000_000);
    expect(made.capacityBytes).toBe(244 * 4096);
    await made.write(4096, [bytes(10, 1)]);
    await made.flush();
    await made.close();
    const file = await BioFile.open(path);
    expect(file.capacityBytes).toBe(244 * 4096);
    expect(await file.read(4096, 10)).toEqual(Buffer.from(bytes(10, 1)));
    await file.close();
  });

  it('refuses to create over a file, below a block, or in a folder that is not there', async () => {
    await writeFile(path, 'precious');
    expect(await codeOf(BioFile.create(path, 8192))).toBe('EXIST');
    expect(await readFile(path, 'utf8')).toBe('precious');
    expect(await codeOf(BioFile.create(join(dir, 'small'), 4095))).toBe('INVAL');
    expect(await codeOf(stat(join(dir, 'small')).catch((e: Error) => Promise.reject(new DaosError('NONEXIST', e.message))))).toBe('NONEXIST');
    expect(await codeOf(BioFile.create(join(dir, 'no', 'data'), 8192))).toBe('NONEXIST');
    expect(await codeOf(BioFile.open(join(dir, 'none')))).toBe('NONEXIST');
  });

  it('refuses more than a device has', async () => {
    class SmallDevice extends MemoryIo {
      override async size(): Promise<number> {
        return 1 << 20;
      }
    }
    expect(await codeOf(BioFile.createOn(new SmallDevice(), 1 << 20))).toBe('NOSPACE');
    expect((await BioFile.createOn(new SmallDevice(), (1 << 20) - 4096)).capacityBytes).toBe((1 << 20) - 4096);
  });

  it.each([
    ['another magic', 0, 'DF_INCOMPT'],
    ['a later version', 4, 'DF_INCOMPT'],
    ['a changed capacity', 16, 'DF_INVAL'],
    ['a changed digest', 40, 'DF_INVAL'],
  ])('refuses %s and changes nothing', async (_, at, der) => {
    await (await BioFile.create(path, 40_960)).close();
    const raw = await open(path, 'r+');
    await raw.write(Uint8Array.of(0x99), 0, 1, at);
    await raw.close();
    const before = await readFile(path);
    expect(await codeOf(BioFile.open(path))).toBe(der);
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it('refuses a file cut short, an empty one and a text', async () => {
    await (await BioFile.create(path, 40_960)).close();
    await truncate(path, 8192);
    expect(await codeOf(BioFile.open(path))).toBe('DF_INVAL');
    await truncate(path, 0);
    expect(await codeOf(BioFile.open(path))).toBe('DF_INCOMPT');
    await writeFile(path, 'hello');
    expect(await codeOf(BioFile.open(path))).toBe('DF_INCOMPT');
  });
});

const WAYS: readonly [string, BioFileOpenOptions][] = [
  ['native', { access: 'native' }],
  ['node', { access: 'node' }],
  ...(UringIo.available() ? [['uring', { access: 'uring' }]] satisfies [string, BioFileOpenOptions][] : []),
  ...(hasDirect()
    ? ([
        ['native direct', { access: 'native', direct: true }],
        ...(UringIo.available() ? [['uring direct', { access: 'uring', direct: true }] as const] : []),
      ] as [string, BioFileOpenOptions][])
    : []),
];

/** Not every file system of a machine that runs tests can do without the page cache. */
function hasDirect(): boolean {
  const probe = join(tmpdir(), `bio-direct-${process.pid}`);
  try {
    closeSync(openSync(probe, constants.O_RDWR | constants.O_CREAT | constants.O_DIRECT));
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { force: true });
  }
}

describe.each(WAYS)('reads and writes through %s', (_name, how) => {
  it('reads what is queued, at the device, and written', async () => {
    const file = await BioFile.create(path, 1 << 20, how);
    const parts = [bytes(3000, 1), bytes(0, 0), bytes(3000, 2)];
    const whole = Buffer.concat(parts);
    const written = file.write(0, parts);
    expect(file.readNow(10, 5000)).toEqual(whole.subarray(10, 5010));
    const flushed = file.flush();
    await Promise.resolve();
    expect(Buffer.from(await file.read(2990, 20))).toEqual(whole.subarray(2990, 3010));
    await Promise.all([written, flushed]);
    expect(Buffer.compare(await file.read(0, 6000), whole)).toBe(0);
    expect(Buffer.from(await file.read(6000, 2192))).toEqual(Buffer.alloc(2192));
    await file.close();
  });

  it('reads across several queued writes', async () => {
    const file = await BioFile.create(path, 1 << 20, how);
    void file.write(4096, [bytes(4096, 2)]);
    void file.write(0, [bytes(4096, 1)]);
    const got = await file.read(0, 8192);
    expect(Buffer.from(got)).toEqual(Buffer.concat([bytes(4096, 1), bytes(4096, 2)]));
    await file.close();
  });

  it('lets the later of two writes to one place win', async () => {
    const file = await BioFile.create(path, 1 << 20, how);
    void file.write(8192, [bytes(4096, 9)]);
    void file.write(0, [bytes(4096, 1)]);
    void file.write(0, [bytes(4096, 2)]);
    await file.flush();
    expect(Buffer.from(await file.read(0, 4096))).toEqual(Buffer.from(bytes(4096, 2)));
    await file.close();
  });

  it('zeroes the rest of the last block', async () => {
    const file = await BioFile.create(path, 1 << 20, how);
    await file.write(0, [bytes(4096, 1)]);
    await file.write(0, [bytes(100, 2)]);
    expect(Buffer.from(await file.read(0, 4096))).toEqual(Buffer.concat([bytes(100, 2), Buffer.alloc(3996)]));
    await file.close();
  });

  it('fills a buffer of the caller', async () => {
    const file = await BioFile.create(path, 1 << 20, how);
    await file.write(0, [bytes(4096, 1)]);
    const into = new Uint8Array(5000);
    const got = await file.read(0, 4096, into);
    expect(got.buffer).toBe(into.buffer);
    expect(into.subarray(0, 4096)).toEqual(bytes(4096, 1));
    expect(await codeOf(file.read(0, 4096, new Uint8Array(10)))).toBe('TRUNC');
    await file.close();
  });

  it('refuses what lies outside, is not on a block, or comes after close', async () => {
    const file = await BioFile.create(path, 8192, how);
    expect(await codeOf(file.write(8192, [bytes(1, 1)]))).toBe('INVAL');
    expect(await codeOf(file.write(4096, [bytes(4097, 1)]))).toBe('INVAL');
    expect(await codeOf(file.write(100, [bytes(1, 1)]))).toBe('INVAL');
    expect(await codeOf(file.write(-4096, [bytes(1, 1)]))).toBe('INVAL');
    expect(await codeOf(file.read(8000, 200))).toBe('INVAL');
    expect(await codeOf(() => file.readNow(0.5, 1))).toBe('INVAL');
    await file.close();
    await file.close();
    expect(await codeOf(file.write(0, [bytes(1, 1)]))).toBe('NO_HDL');
    expect(await codeOf(file.read(0, 1))).toBe('NO_HDL');
    expect(await codeOf(file.flush())).toBe('NO_HDL');
  });

  it('agrees with a buffer in memory over random overlapping writes and reads', async () => {
    const size = 64 * 4096;
    const file = await BioFile.create(path, size, how);
    const model = Buffer.alloc(size);
    let state = 42;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let step = 0; step < 150; step++) {
      const block = random(60);
      if (random(2) === 0) {
        const data = bytes(1 + random(3 * 4096), step);
        void file.write(block * 4096, [data.subarray(0, 7), data.subarray(7)]);
        model.fill(0, block * 4096, block * 4096 + Math.ceil(data.length / 4096) * 4096);
        model.set(data, block * 4096);
      } else {
        const offset = random(size - 9000);
        const length = random(9000);
        expect(Buffer.compare(await file.read(offset, length), model.subarray(offset, offset + length))).toBe(0);
      }
      if (random(20) === 0) await file.flush();
    }
    await file.flush();
    await file.close();
    expect(Buffer.compare((await readFile(path)).subarray(4096), model)).toBe(0);
  });

  it('carries writes larger than a window and many scattered ones, across a reopening', async () => {
    const size = 14 << 20;
    const file = await BioFile.create(path, size, how);
    const large = Buffer.concat([bytes(9 << 20, 3), bytes(5000, 4)]);
    const writes = [file.write(0, [large])];
    for (let i = 0; i < 300; i++) writes.push(file.write((10 << 20) + i * 8192, [bytes(4096, i)]));
    await Promise.all([...writes, file.flush()]);
    await file.close();
    const again = await BioFile.open(path, how);
    expect(Buffer.compare(await again.read(0, large.length), large)).toBe(0);
    for (const i of [0, 1, 150, 299]) expect(Buffer.from(await again.read((10 << 20) + i * 8192, 4096))).toEqual(Buffer.from(bytes(4096, i)));
    await again.close();
  });

  it('leases buffers that hold what was read, and uses them again', async () => {
    const pool = new BufferPool(16 << 20);
    const file = await BioFile.create(path, 4 << 20, { ...how, pool });
    const data = bytes(2 << 20, 5);
    await file.write(0, [data]);
    for (let i = 0; i < 20; i++) {
      const lease = await file.readLease(100 + i, 1 << 20);
      expect(Buffer.compare(lease.bytes, data.subarray(100 + i, 100 + i + (1 << 20)))).toBe(0);
      lease.release();
      file.readLeaseNow(0, 100)?.release();
    }
    expect(pool.statistics).toMatchObject({ made: 2, lentBytes: 0 });
    await expect(file.readLease(4 << 20, 1)).rejects.toMatchObject({ der: 'INVAL' });
    expect(pool.statistics.lentBytes).toBe(0);
    await file.close();
  });

  it('reads many ranges side by side, queued and written ones', async () => {
    const file = await BioFile.create(path, 4 << 20, how);
    await file.write(0, [bytes(1 << 20, 1)]);
    void file.write(2 << 20, [bytes(4096, 2)]);
    const ranges = [{ offset: 5, into: new Uint8Array(70_000) }, { offset: (2 << 20) + 1, into: new Uint8Array(10) }];
    await file.readMany(ranges);
    const expected = [bytes(1 << 20, 1).subarray(5, 70_005), bytes(4096, 2).subarray(1, 11)];
    expect(ranges.map(({ into }, i) => Buffer.compare(into, expected[i] ?? into))).toEqual([0, 0]);
    await file.close();
  });
});

/** Counts the calls that reach the device, and fails on demand. */
class SpyIo implements BlockIo {
  readonly calls: { runs: number; sync: boolean }[] = [];
  fail: { code: string; syscall: string } | undefined;
  constructor(private readonly io: BlockIo) {}
  get path(): string {
    return this.io.path;
  }
  size(): Promise<number> {
    return this.io.size();
  }
  resize(length: number): Promise<void> {
    return this.io.resize(length);
  }
  async write(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    this.calls.push({ runs: runs.length, sync });
    if (this.fail) throw Object.assign(new Error(`${this.fail.code}: injected`), this.fail);
    await this.io.write(runs, sync);
  }
  read(offset: number, into: Uint8Array): Promise<number> {
    return this.io.read(offset, into);
  }
  readNow(offset: number, into: Uint8Array): number {
    return this.io.readNow(offset, into);
  }
  close(): Promise<void> {
    return this.io.close();
  }
}

describe('batches', () => {
  async function spied(): Promise<{ file: BioFile; io: SpyIo }> {
    const io = new SpyIo(await NodeIo.open(path, { create: true }));
    const file = await BioFile.createOn(io, 1 << 20);
    io.calls.length = 0;
    return { file, io };
  }

  it('carries the writes and the flush of a tick in one call, neighbours in one run', async () => {
    const { file, io } = await spied();
    const writes = [3, 1, 2, 7].map((block) => file.write(block * 4096, [bytes(100, block)]));
    await Promise.all([...writes, file.flush(), file.flush()]);
    expect(io.calls).toEqual([{ runs: 2, sync: true }]);
    await file.close();
  });

  it('starts the flush after the writes that came while another flush ran', async () => {
    const { file, io } = await spied();
    void file.write(0, [bytes(1, 1)]);
    const first = file.flush();
    await Promise.resolve();
    const later = file.write(4096, [bytes(1, 2)]);
    const second = file.flush();
    await Promise.all([first, second, later]);
    expect(io.calls).toEqual([{ runs: 1, sync: true }, { runs: 1, sync: true }]);
    await file.close();
  });

  it('fails everything after a failed flush, but not after a full file system', async () => {
    const { file, io } = await spied();
    io.fail = { code: 'ENOSPC', syscall: 'pwritev' };
    expect(await codeOf(file.write(0, [bytes(1, 1)]))).toBe('NOSPACE');
    io.fail = undefined;
    await file.write(0, [bytes(1, 1)]);
    io.fail = { code: 'EIO', syscall: 'fdatasync' };
    expect(await codeOf(file.flush())).toBe('NVME_IO');
    io.fail = undefined;
    expect(await codeOf(file.flush())).toBe('NVME_IO');
    expect(await codeOf(file.write(0, [bytes(1, 1)]))).toBe('NVME_IO');
    await file.close();
  });
});
