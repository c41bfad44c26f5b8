import { DaosError } from '@daos/common';

import { DfsError, dfsCall } from '../src/error.js';
import { forEachLimit } from '../src/limit.js';
import { nameBytes, pathComponents } from '../src/name.js';
import { OidAllocator } from '../src/oid_allocator.js';
import { effectiveTimes, timeOfEpoch } from '../src/stat.js';
import type { Inode } from '../src/layout.js';

describe('names', () => {
  it('of 255 bytes are valid, of 256 EINVAL; any byte but / and NUL is legal', () => {
    expect(nameBytes('x'.repeat(255), 'open')).toHaveLength(255);
    expect(nameBytes(Buffer.from([0x0a, 0xff, 0xfe]), 'open')).toEqual(Buffer.from([0x0a, 0xff, 0xfe]));
    for (const bad of ['x'.repeat(256), '', 'a/b', 'a\0b']) expect(() => nameBytes(bad, 'open')).toThrow(/EINVAL/);
    for (const dots of ['.', '..']) expect(() => nameBytes(dots, 'open')).toThrow(/ENOTSUP/);
  });

  it('come out of a path without empty parts and dots', () => {
    expect(pathComponents('//a/./b//', 'open').map(String)).toEqual(['a', 'b']);
    expect(() => pathComponents('relative', 'open')).toThrow(/EINVAL/);
    expect(() => pathComponents(`/${'x'.repeat(4096)}`, 'open')).toThrow(/EINVAL/);
  });
});

describe('object ids of a mount', () => {
  it('share one low word, never repeat, and never touch the reserved ones', async () => {
    let allocations = 0;
    const oids = new OidAllocator(() => Promise.resolve(BigInt(allocations++)), 2);
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const { hi, lo } = await oids.next();
      expect(lo === 0n && hi <= 1n).toBe(false);
      seen.add(`${hi}.${lo}`);
    }
    expect(seen.size).toBe(1000);
    expect(allocations).toBe(1);
  });

  it('asked for at once allocate once', async () => {
    let allocations = 0;
    const oids = new OidAllocator(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return BigInt(++allocations);
    });
    const ids = await Promise.all(Array.from({ length: 50 }, () => oids.next()));
    expect(new Set(ids.map((id) => id.hi)).size).toBe(50);
    expect(allocations).toBe(1);
  });
});

describe('times', () => {
  const inode = { mtimeNs: 100n, ctimeNs: 200n, objectHlc: 0n } as Inode;
  const epoch = 0x1234_5678_9abc_0000n;

  it('are those of the entry while the object has no data', () => {
    expect(effectiveTimes(inode, 0n)).toEqual({ mtimeNs: 100n, ctimeNs: 200n });
  });
  it('follow the last change of the object', () => {
    expect(effectiveTimes(inode, epoch)).toEqual({ mtimeNs: timeOfEpoch(epoch), ctimeNs: timeOfEpoch(epoch) });
  });
  it('show a set mtime until the object changes again', () => {
    expect(effectiveTimes({ ...inode, objectHlc: epoch }, epoch | 5n).mtimeNs).toBe(100n);
    expect(effectiveTimes({ ...inode, objectHlc: epoch }, epoch + (1n << 30n)).mtimeNs).toBe(timeOfEpoch(epoch + (1n << 30n)));
  });
});

describe('errors', () => {
  it('of DAOS become errno names with call and path', async () => {
    const failing = dfsCall('open', '/a', () => Promise.reject(new DaosError('NO_PERM', 'no')));
    await expect(failing).rejects.toMatchObject({ code: 'EPERM', errno: 1, syscall: 'open', path: '/a' });
    await expect(dfsCall('write', '/a', () => Promise.reject(new DaosError('NOSPACE')))).rejects.toBeInstanceOf(DfsError);
  });
});

describe('forEachLimit', () => {
  it('runs all items, at most so many at once', async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    await forEachLimit(Array.from({ length: 40 }, (_, i) => i), 7, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      done++;
    });
    expect({ most, done }).toEqual({ most: 7, done: 40 });
  });
  it('throws the first failure after running work has ended', async () => {
    await expect(forEachLimit([1, 2, 3], 2, (i) => (i === 2 ? Promise.reject(new Error('two')) : Promise.resolve()))).rejects.toThrow('two');
  });
});
