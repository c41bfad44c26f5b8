import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { IndexKey } from '../../src/layout/index_key.js';
import { Meta, Space } from '../../src/layout/spaces.js';
import { openLmdb } from '../../src/umem/lmdb_store.js';
import { LmdbUmem } from '../../src/umem/lmdb_umem.js';
import { positionKey } from '../../src/umem/log_position.js';
import { keyOf } from './umem_fixture.js';

const USABLE_BYTES = 16 * 1024 * 1024;

let dir: string;
let paths: { index: string; logs: [string, string] };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'umem-format-'));
  paths = { index: join(dir, 'index'), logs: [join(dir, 'log.0'), join(dir, 'log.1')] };
  await LmdbUmem.create(paths, USABLE_BYTES);
});

afterEach(() => rm(dir, { recursive: true, force: true }));

/** The position row of version 1: generation, sequence. */
async function makeVersion1(generation: number, sequence: number): Promise<void> {
  const store = openLmdb(paths.index, USABLE_BYTES);
  const row = Buffer.alloc(8);
  row.writeUInt32BE(generation, 0);
  row.writeUInt32BE(sequence, 4);
  store.transactionSync(() => {
    store.putSync(new IndexKey().space(Space.META).u8(Meta.LOG), row);
    store.removeSync(positionKey());
  });
  await store.close();
}

/** A log record as version 1 wrote it, with one put. */
function recordVersion1(generation: number, sequence: number, key: string, value: string): Buffer {
  const { bytes, length } = keyOf(key);
  const ops = Buffer.alloc(6 + length + value.length);
  ops.writeUInt16LE(length, 0);
  ops.writeUInt32LE(value.length, 2);
  ops.set(bytes.subarray(0, length), 6);
  ops.write(value, 6 + length);
  const record = Buffer.alloc(512);
  [0x4441574c, generation, sequence, ops.length].forEach((word, i) => record.writeUInt32LE(word, 4 * i));
  record.set(ops, 20);
  record.writeUInt32LE(crc32(ops, crc32(record.subarray(0, 16))), 16);
  return record;
}

/** What the files hold, as digests. */
async function contents(): Promise<Map<string, string>> {
  const names = (await readdir(dir)).filter((name) => !name.endsWith('-lock'));
  return new Map(await Promise.all(names.map(async (name) => [name, createHash('sha256').update(await readFile(join(dir, name))).digest('hex')] as const)));
}

describe('the format of the log', () => {
  it('of version 1 is read: records that were not replayed are there after opening', async () => {
    await makeVersion1(7, 0xffff_ffff);
    await writeFile(paths.logs[1], Buffer.concat([recordVersion1(7, 0xffff_ffff, 'a', 'one'), recordVersion1(7, 0, 'b', 'two'), recordVersion1(7, 9, 'c', 'stale')]));
    await writeFile(paths.logs[0], recordVersion1(8, 1, 'd', 'three'));
    for (const opening of ['first', 'second']) {
      const umem = await LmdbUmem.open(paths, USABLE_BYTES);
      const texts = ['a', 'b', 'c', 'd'].map((key) => String(Buffer.from(umem.get(keyOf(key)) ?? [])));
      expect([opening, ...texts]).toEqual([opening, 'one', 'two', '', 'three']);
      umem.put(keyOf('e'), Buffer.from(opening));
      await umem.close();
    }
  });

  it('once opened leaves no position that version 1 would take for its own', async () => {
    await makeVersion1(1, 1);
    await (await LmdbUmem.open(paths, USABLE_BYTES)).close();
    const store = openLmdb(paths.index, USABLE_BYTES);
    expect(store.getBinaryFast(new IndexKey().space(Space.META).u8(Meta.LOG))).toBeUndefined();
    await store.close();
  });

  it('of an unknown version in the position row is refused with DER_DF_INCOMPT, and nothing changes', async () => {
    const store = openLmdb(paths.index, USABLE_BYTES);
    const row = Buffer.alloc(12, 1);
    row.writeUInt32BE(3, 0);
    store.transactionSync(() => store.putSync(positionKey(), row));
    await store.close();
    const before = await contents();
    await expect(LmdbUmem.open(paths, USABLE_BYTES)).rejects.toMatchObject({ der: 'DF_INCOMPT' });
    expect(await contents()).toEqual(before);
  });

  it('of an unknown version in a record is refused with DER_DF_INCOMPT, and nothing changes', async () => {
    const record = Buffer.alloc(512);
    // the second record: the first is intact and would be replayed
    record.writeUInt32LE(0x574f4156, 0);
    record.writeUInt16LE(3, 4);
    record.writeUInt32LE(1, 8);
    record.writeUInt32LE(2, 12);
    await writeFile(paths.logs[1], Buffer.concat([recordVersion1(1, 1, 'a', 'one'), record]));
    const before = await contents();
    await expect(LmdbUmem.open(paths, USABLE_BYTES)).rejects.toMatchObject({ der: 'DF_INCOMPT' });
    expect(await contents()).toEqual(before);
  });

  it('without a position is damaged: DER_DF_INVAL', async () => {
    const store = openLmdb(paths.index, USABLE_BYTES);
    store.transactionSync(() => store.removeSync(positionKey()));
    await store.close();
    await expect(LmdbUmem.open(paths, USABLE_BYTES)).rejects.toMatchObject({ der: 'DF_INVAL' });
  });

  it('needs both files: a missing one is DER_DF_INVAL', async () => {
    await rm(paths.logs[0]);
    await expect(LmdbUmem.open(paths, USABLE_BYTES)).rejects.toMatchObject({ der: 'DF_INVAL' });
  });
});
