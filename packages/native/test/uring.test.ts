import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { Uring, alignedBuffer, isAligned } from '../src/index.js';

const ring = Uring.ofThread();
const describeRing = ring ? describe : describe.skip;

let dir: string;
let path: string;
let fd: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'uring-'));
  path = join(dir, 'file');
  writeFileSync(path, '');
  fd = openSync(path, 'r+');
});
afterEach(() => {
  closeSync(fd);
  rmSync(dir, { recursive: true });
});

function theRing(): Uring {
  if (!ring) throw new Error('no io_uring');
  return ring;
}

it('says why there is no ring, or has one', () => {
  if (ring) expect(Uring.whyNot()).toBeUndefined();
  else expect(Uring.whyNot()).toMatchObject({ code: expect.stringMatching(/ENOSYS|EPERM|EOPNOTSUPP|ENOTSUP/) });
});

describeRing('io_uring', () => {
  it.each([true, false])('writes more runs and buffers than one submission takes, inOrder %s', async (inOrder) => {
    const runs = Array.from({ length: 700 }, (_, i) => ({ offset: (699 - i) * 8, buffers: [Buffer.from(String(1000 + i)), Buffer.alloc(0), Buffer.from('abcd')] }));
    runs.push({ offset: 5600, buffers: Array.from({ length: 3000 }, (_, i) => Buffer.from([i & 0xff, i >> 8])) });
    await theRing().write(fd, runs, { sync: true, inOrder });
    const expected = Buffer.alloc(11_600);
    for (const { offset, buffers } of runs) Buffer.concat(buffers).copy(expected, offset);
    expect(readFileSync(path)).toEqual(expected);
  });

  it('lets the later of two overlapping runs win when they are in order', async () => {
    const runs = Array.from({ length: 200 }, (_, i) => ({ offset: i % 3, buffers: [Buffer.alloc(50_000, i)] }));
    await theRing().write(fd, runs, { sync: false, inOrder: true });
    const expected = Buffer.alloc(50_002, 199);
    expected[0] = 198;
    expected[50_001] = 197;
    // run 199 starts at 1, 198 at 0, 197 at 2
    expect(readFileSync(path).equals(expected)).toBe(true);
  });

  it('reads what is there and says how much', async () => {
    await theRing().write(fd, [{ offset: 0, buffers: [Buffer.from('abcdef')] }], { sync: false, inOrder: true });
    const into = Buffer.alloc(10, '.');
    expect(await theRing().read(fd, 2, into)).toBe(4);
    expect(into.toString()).toBe('cdef......');
    expect(await theRing().read(fd, 100, into)).toBe(0);
    expect(await theRing().read(fd, 0, into.subarray(0, 0))).toBe(0);
  });

  it('runs a thousand transfers at once', async () => {
    ftruncateSync(fd, 1000 * 4096);
    await Promise.all(Array.from({ length: 1000 }, (_, i) =>
      theRing().write(fd, [{ offset: i * 4096, buffers: [Buffer.alloc(4096, i)] }], { sync: i % 100 === 0, inOrder: i % 2 === 0 })));
    const pages = Array.from({ length: 1000 }, () => Buffer.alloc(4096));
    await Promise.all(pages.map((page, i) => theRing().read(fd, i * 4096, page)));
    expect(pages.every((page, i) => page.equals(Buffer.alloc(4096, i)))).toBe(true);
  });

  it('rejects with the code and the call of the system, and writes nothing behind the failure', async () => {
    const readOnly = openSync(path, 'r');
    await expect(theRing().write(readOnly, [{ offset: 0, buffers: [Buffer.from('x')] }], { sync: true, inOrder: true }))
      .rejects.toMatchObject({ code: 'EBADF', syscall: 'pwritev' });
    closeSync(readOnly);
    await expect(theRing().read(-1, 0, Buffer.alloc(1))).rejects.toMatchObject({ code: 'EBADF', syscall: 'pread' });
    const pipe = openSync('/dev/null', 'r+');
    await expect(theRing().write(pipe, [], { sync: true, inOrder: true })).rejects.toMatchObject({ code: 'EINVAL', syscall: 'fdatasync' });
    closeSync(pipe);
    // the second run fails at its place; the third must not be there
    const runs = [
      { offset: 0, buffers: [Buffer.from('first')] },
      { offset: -10, buffers: [Buffer.from('second')] },
      { offset: 100, buffers: [Buffer.from('third')] },
    ];
    await expect(theRing().write(fd, runs, { sync: true, inOrder: true })).rejects.toMatchObject({ code: 'EINVAL', syscall: 'pwritev' });
    expect(readFileSync(path, 'utf8')).toBe('first');
  });

  it('goes on where the kernel stopped: a call moves 2 GiB at most', async () => {
    const nothing = openSync('/dev/null', 'r+');
    const buffer = Buffer.alloc(4 << 20);
    const runs = [{ offset: 0, buffers: Array.from({ length: 1000 }, () => buffer) }, { offset: 0, buffers: [buffer] }];
    for (const inOrder of [true, false]) await theRing().write(nothing, runs, { sync: false, inOrder });
    closeSync(nothing);
  });

  it('keeps the process running until a transfer has ended, and no longer', () => {
    const source = `
      import { Uring } from '@daos/native'; import { openSync } from 'node:fs';
      const fd = openSync(process.argv[1], 'r+');
      void Uring.ofThread().write(fd, [{ offset: 0, buffers: [Buffer.alloc(1 << 22, 7)] }], { sync: true, inOrder: true })
        .then(() => process.stdout.write('durable'));`;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', source, path], { encoding: 'utf8', timeout: 20_000 });
    expect({ stdout, status }).toEqual({ stdout: 'durable', status: 0 });
  });
});

describe('a thread that is terminated in the middle of its transfers', () => {
  const ways = ['fileWrite(fd, runs, sync)', ...(ring ? ['Uring.ofThread().write(fd, runs, { sync, inOrder: true })'] : [])];
  it.each(ways)('takes nothing else down: %s', async (call) => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads'); const { openSync } = require('node:fs');
      void import('@daos/native').then(({ Uring, fileWrite }) => {
        const fd = openSync(workerData, 'r+');
        const go = (i) => {
          const runs = [{ offset: (i % 8) << 16, buffers: [Buffer.alloc(1 << 16, i)] }];
          const sync = i % 16 === 0;
          void ${call}.then(() => go(i + 1));
          if (Uring.ofThread()) void Uring.ofThread().read(fd, 0, Buffer.alloc(1 << 16));
        };
        for (let i = 0; i < 16; i++) go(i);
        parentPort.postMessage('started');
      });`;
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(source, { eval: true, workerData: path });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await new Promise((resolve) => setTimeout(resolve, round));
      expect(await worker.terminate()).toBe(1);
    }
  });
});

describe('aligned buffers', () => {
  it('start at a multiple of the alignment and are as long as asked', () => {
    for (const bytes of [1, 4096, 1 << 20]) {
      const buffer = alignedBuffer(bytes, 4096);
      expect([buffer.length, isAligned(buffer, 4096)]).toEqual([bytes, true]);
      expect(isAligned(buffer.subarray(1), 4096)).toBe(false);
    }
  });
});
