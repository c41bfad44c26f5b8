import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fileRead, fileReadNow, fileSize, fileWrite } from '../src/index.js';

let dir: string;
let path: string;
let fd: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'native-'));
  path = join(dir, 'file');
  writeFileSync(path, '');
  fd = openSync(path, 'r+');
});
afterEach(() => {
  closeSync(fd);
  rmSync(dir, { recursive: true });
});

describe('file I/O', () => {
  it('writes runs of many buffers, more than one system call takes', async () => {
    const pieces = Array.from({ length: 3000 }, (_, i) => Buffer.from([i & 0xff, i >> 8]));
    await fileWrite(fd, [{ offset: 10, buffers: pieces }, { offset: 0, buffers: [Buffer.from('head'), Buffer.alloc(0)] }], true);
    expect(readFileSync(path)).toEqual(Buffer.concat([Buffer.from('head'), Buffer.alloc(6), ...pieces]));
    expect(fileSize(fd)).toBe(6010);
  });

  it('reads what is there and says how much', async () => {
    await fileWrite(fd, [{ offset: 0, buffers: [Buffer.from('abcdef')] }], false);
    const into = Buffer.alloc(10, '.');
    expect(await fileRead(fd, 2, into)).toBe(4);
    expect(into.toString()).toBe('cdef......');
    expect(fileReadNow(fd, 1, into.subarray(0, 3))).toBe(3);
    expect(into.toString()).toBe('bcdf......');
    expect(fileReadNow(fd, 100, into)).toBe(0);
  });

  it('rejects with the code and the call of the system', async () => {
    const readOnly = openSync(path, 'r');
    await expect(fileWrite(readOnly, [{ offset: 0, buffers: [Buffer.from('x')] }], false)).rejects.toMatchObject({ code: 'EBADF', syscall: 'pwritev' });
    closeSync(readOnly);
    await expect(fileRead(-1, 0, Buffer.alloc(1))).rejects.toMatchObject({ code: 'EBADF', syscall: 'pread' });
    expect(() => fileReadNow(-1, 0, Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => fileSize(-1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  it('runs many jobs at once', async () => {
    const jobs = Array.from({ length: 200 }, (_, i) => fileWrite(fd, [{ offset: i * 4, buffers: [Buffer.from(String(1000 + i))] }], i % 10 === 0));
    await Promise.all(jobs);
    expect(readFileSync(path, 'utf8')).toBe(Array.from({ length: 200 }, (_, i) => String(1000 + i)).join(''));
  });
});
