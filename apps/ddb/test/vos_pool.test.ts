import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DeviceRole, SmdDb, smdDevAddTgt } from '@daos/bio';
import { ChecksumType, IodType, ObjectType, iodChecksums, uuidGenerate, type Epoch, type Iod, type IodChecksums, type UnitOid } from '@daos/common';
import { vosPoolCreate, vosPoolOpen, type KeyFlavours, type VosContainer } from '@daos/vos';

import { VosDdbStore } from '../src/pool/vos_ddb_store.js';
import { CONTAINER, OTHER, POOL } from './fake_pool.js';
import { TestSession } from './harness.js';

const MIB = 1024 * 1024;
const OID: UnitOid = { oid: { hi: 0n, lo: 13n }, shard: 0, layoutVersion: 1 };
const HASHED: KeyFlavours = { dkey: 'hashed', akey: 'hashed' };
const DKEY = Buffer.from('d');
const OBJECT_PATH = `/${CONTAINER}/0.13.0.1`;
/** Larger than what the index takes: in the data file, in two chunks. */
const LARGE = Buffer.alloc(40_000, 'large ');

let dir: string;
let shard: string;
let test: TestSession;

interface Write {
  readonly akey: string;
  readonly epoch: Epoch;
  readonly data: Buffer;
  /** First record; none: a single value. */
  readonly lo?: bigint;
}

/** Writes with crc32 checksums; the result is these. */
async function write(container: VosContainer, { akey, epoch, data, lo }: Write): Promise<IodChecksums> {
  const recxs = lo === undefined ? [] : [{ idx: lo, nr: BigInt(data.length) }];
  const type = lo === undefined ? IodType.SINGLE : IodType.ARRAY;
  const iod: Iod = { akey: Buffer.from(akey), type, size: lo === undefined ? data.length : 1, recxs };
  const checksums = iodChecksums(ChecksumType.CRC32, 32_768, iod, data);
  if (!checksums) throw new Error('no checksums');
  await container.update({ oid: OID, flavours: HASHED, epoch, flags: 0, dkey: DKEY, iods: [iod], values: [data], checksums: [checksums] });
  return checksums;
}

const sums = new Map<string, string>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ddb-vos-'));
  shard = join(dir, POOL, 'vos-0');
  await vosPoolCreate({ dir: shard, uuid: POOL, scmBytes: 64 * MIB, nvmeBytes: 64 * MIB });
  const pool = await vosPoolOpen({ dir: shard, uuid: POOL });
  await pool.containerCreate(CONTAINER);
  await pool.containerCreate(OTHER);
  const container = pool.containerOpen(CONTAINER);
  const note = async (name: string, what: Write): Promise<void> => {
    sums.set(name, Buffer.from((await write(container, what)).bytes).toString('hex'));
  };
  await note('old', { akey: 'single', epoch: 10n, data: Buffer.from('old') });
  await note('new', { akey: 'single', epoch: 20n, data: Buffer.from('new!') });
  await note('array', { akey: 'array', epoch: 30n, data: Buffer.from('abcde'), lo: 100n });
  await note('large', { akey: 'large', epoch: 40n, data: LARGE, lo: 0n });
  await note('overwrite', { akey: 'over', epoch: 50n, data: Buffer.from('aaaaaaaa'), lo: 0n });
  await note('overwrite', { akey: 'over', epoch: 60n, data: Buffer.from('BB'), lo: 3n });
  container.close();
  await pool.close();
});

beforeEach(async () => {
  test = new TestSession(new VosDdbStore(), { write: true });
  await test.run(`open -w ${shard}`);
});

afterEach(() => test.session.close());

afterAll(() => rm(dir, { recursive: true, force: true }));

describe('a shard on disk', () => {
  it('shows its superblock', async () => {
    const text = await test.run('superblock_dump');
    for (const line of [`Pool UUID: ${POOL}`, 'Containers: 2', 'SCM Size: 64']) expect(text).toContain(line);
  });

  it('is listed from containers to values', async () => {
    expect(await test.run('ls')).toBe(`/\n[0] ${CONTAINER}\n[1] ${OTHER}`);
    const text = await test.run('ls -r [0]');
    expect(text).toContain("[0] '0.13.0.1'");
    expect(text).toContain("'single' (6) (SV)");
    expect(text).toContain('Single Value (Length: 4 bytes, Epoch: 20)');
    expect(text).toContain('Array Value (Length: 5 records, Record Indexes: {100-104}, Record Size: 1, Epoch: 30)');
    expect(text).toContain('Record Indexes: {3-4}, Record Size: 1, Epoch: 60)');
    await expect(test.run(`ls ${OBJECT_PATH}/none`)).rejects.toThrow('DER_NONEXIST');
    await expect(test.run('ls [1]/[0]')).rejects.toThrow('DER_NONEXIST');
  });

  it('gives the bytes of its values', async () => {
    expect(await test.run(`value_dump ${OBJECT_PATH}/d/single`)).toContain('new!\n');
    expect(await test.run(`value_dump ${OBJECT_PATH}/d/array/{100-104}`)).toContain('abcde\n');
    expect(await test.run(`value_dump ${OBJECT_PATH}/d/over/{0-7}`)).toContain('aaaBBaaa\n');
    expect(await test.run(`value_dump ${OBJECT_PATH}/d/array/{98-101}`)).toContain('00000000  00006162');
    const file = join(dir, 'value');
    await test.run(`value_dump ${OBJECT_PATH}/d/large/[0] ${file}`);
    expect((await readFile(file)).equals(LARGE)).toBe(true);
    await expect(test.run(`value_dump ${OBJECT_PATH}/d/none`)).rejects.toThrow('DER_NONEXIST');
    await expect(test.run(`value_dump ${OBJECT_PATH}/d/array/{7-9}`)).rejects.toThrow('DER_NONEXIST');
  });

  it('shows the checksums that were written, of newer and older versions', async () => {
    const path = `${OBJECT_PATH}/d/single`;
    expect(await test.run(`csum_dump ${path}`)).toContain(`0x${sums.get('new')}`);
    expect(await test.run(`csum_dump -e 19 ${path}`)).toContain(`0x${sums.get('old')}`);
    await expect(test.run(`csum_dump -e 9 ${path}`)).rejects.toThrow('DER_NONEXIST');
    expect(await test.run(`csum_dump ${OBJECT_PATH}/d/array/[0]`)).toContain(`0x${sums.get('array')}`);
    const file = join(dir, 'sums');
    await test.run(`csum_dump ${OBJECT_PATH}/d/large/[0] ${file}`);
    expect(await readFile(file, 'hex')).toBe(sums.get('large'));
    expect(sums.get('large')).toHaveLength(16);
  });

  it('takes values that are loaded into it, and has them after it was closed', async () => {
    const source = join(dir, 'source');
    await writeFile(source, 'loaded');
    for (const path of ['d/loaded', 'd2/loaded', 'd/loaded', 'd/list/{5-10}']) await test.run(`value_load ${source} ${OBJECT_PATH}/${path}`);
    await test.run('close');
    await test.run(`open ${shard}`);
    for (const path of ['d/loaded', 'd2/loaded', 'd/list/[0]']) expect(await test.run(`value_dump ${OBJECT_PATH}/${path}`)).toContain('loaded\n');
    await test.run('close');
    await test.run(`open -w ${shard}`);
    await expect(test.run(`value_load ${source} ${OBJECT_PATH}/d/list/{0-3}`)).rejects.toThrow('DER_INVAL');
  });

  it('shows and takes the integer keys of objects that have them', async () => {
    const source = join(dir, 'source');
    await writeFile(source, 'number');
    const object = `/${CONTAINER}/${BigInt(ObjectType.MULTI_UINT64) << 56n}.5.0.1`;
    await test.run(`value_load ${source} "${object}/{uint64: 0x4142434445464748}/{uint64: 7}"`);
    expect(await test.run(`ls ${object}`)).toContain('[0] {uint64:0x4142434445464748}');
    expect(await test.run(`ls ${object}/[0]`)).toContain('[0] {uint64:0x7} (SV)');
    expect(await test.run(`value_dump ${object}/HGFEDCBA/{uint64:7}`)).toContain('number\n');
  });

  it('loses a container that is removed', async () => {
    await test.run('rm [1]');
    expect(await test.run('ls')).toBe(`/\n[0] ${CONTAINER}`);
  });

  it('loses an extent, an akey, a dkey or an object that is removed, and nothing else', async () => {
    const source = join(dir, 'source');
    await writeFile(source, 'gone');
    for (const path of ['rm/a', 'rm/b', 'rm2/a', 'rm/array/{0-3}', 'rm/array/{10-13}']) await test.run(`value_load ${source} ${OBJECT_PATH}/${path}`);
    await test.run(`rm ${OBJECT_PATH}/rm/array/{0-3}`);
    await expect(test.run(`value_dump ${OBJECT_PATH}/rm/array/{0-3}`)).rejects.toThrow('DER_NONEXIST');
    expect(await test.run(`value_dump ${OBJECT_PATH}/rm/array/{10-13}`)).toContain('gone');
    await test.run(`rm ${OBJECT_PATH}/rm/a`);
    await expect(test.run(`value_dump ${OBJECT_PATH}/rm/a`)).rejects.toThrow('DER_NONEXIST');
    expect(await test.run(`value_dump ${OBJECT_PATH}/rm/b`)).toContain('gone');
    await test.run(`rm ${OBJECT_PATH}/rm`);
    expect(await test.run(`ls ${OBJECT_PATH}`)).not.toContain(' rm\n');
    expect(await test.run(`value_dump ${OBJECT_PATH}/rm2/a`)).toContain('gone');
    await test.run(`rm ${OBJECT_PATH}`);
    expect(await test.run(`ls /${CONTAINER}`)).not.toContain(OBJECT_PATH.split('/')[2]);
  });

  it('says what this release cannot do', async () => {
    await test.run('close');
    for (const line of ['smd_sync', 'prov_mem /db /mnt']) {
      await expect(test.run(line)).rejects.toThrow(/DER_NOSYS.*this release cannot/);
    }
  });

  it('is refused when it is missing, of another pool, or no shard', async () => {
    await test.run('close');
    await expect(test.run(`open ${join(dir, POOL, 'vos-7')}`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`open ${join(dir, POOL, 'rdb-pool')}`)).rejects.toThrow('DER_NOSYS');
    await expect(test.run(`open ${dir}/${OTHER}/vos-0`)).rejects.toThrow('DER_INVAL');
    expect(test.session.isOpen).toBe(false);
  });

  it('is not opened while another process has it open', async () => {
    await test.run('close');
    const file = await open(join(shard, 'superblock'));
    const child = spawn('sleep', ['60'], { stdio: [file.fd, 'ignore', 'ignore'] });
    try {
      await once(child, 'spawn');
      await file.close();
      await expect(test.run(`open ${shard}`)).rejects.toThrow(new RegExp(`DER_BUSY.*process ${child.pid}`));
    } finally {
      child.kill();
      await once(child, 'exit');
    }
    await test.run(`open ${shard}`);
  });

  it('leaves the table of devices to be read and mended', async () => {
    await test.run('close');
    await expect(test.run(`dev_list ${dir}`)).rejects.toThrow('DER_INVAL');
    const [first, second] = [uuidGenerate(), uuidGenerate()];
    const db = await SmdDb.open(join(dir, 'smd.mdb'));
    for (const target of [0, 1]) smdDevAddTgt(db, first, target, DeviceRole.DATA);
    await db.close();
    expect(await test.run(`dev_list ${dir}`)).toContain(`Device: ${first}, state NORMAL, targets 0 1`);
    await test.run(`dev_replace ${dir} ${first} ${second}`);
    expect(await test.run(`dev_list ${dir}`)).toContain(`Device: ${second}, state`);
    await test.run(`open -w ${shard}`);
  });

  it('is removed by rm_pool', async () => {
    await test.run('rm_pool');
    expect(existsSync(shard)).toBe(false);
  });
});
