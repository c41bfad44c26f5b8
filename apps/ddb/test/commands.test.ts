import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { COMMANDS } from '../src/commands/table.js';
import type { FakeStore} from './fake_pool.js';
import { CONTAINER, OTHER, PATH, POOL, type FakePool } from './fake_pool.js';
import { TestSession, writableFake } from './harness.js';

const OBJECT_PATH = `/${CONTAINER}/0.13.0.1`;
const CRC = { type: 2, chunkBytes: 32768, length: 4, bytes: Buffer.from('a1b2c3d4', 'hex') };

let test: TestSession;
let store: FakeStore;
let pool: FakePool;
let dir: string;

beforeEach(async () => {
  ({ test, store } = await writableFake());
  ({ pool } = store);
  dir = await mkdtemp(join(tmpdir(), 'ddb-test-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

async function file(content: string | Buffer): Promise<string> {
  const path = join(dir, 'source');
  await writeFile(path, content);
  return path;
}

describe('the commands', () => {
  it('have the names of DAOS', () => {
    expect(COMMANDS.map(({ name }) => name)).toEqual([
      'close', 'csum_dump', 'dev_list', 'dev_replace', 'dtx_act_abort', 'dtx_act_commit', 'dtx_act_discard_invalid', 'dtx_aggr',
      'dtx_cmt_clear', 'dtx_dump', 'dtx_stat', 'feature', 'help', 'ilog_clear', 'ilog_commit', 'ilog_dump', 'ls', 'open', 'prov_mem',
      'quit', 'rm', 'rm_pool', 'smd_sync', 'superblock_dump', 'value_dump', 'value_load', 'vea_dump', 'vea_update', 'version',
    ]);
  });

  it('explain themselves', async () => {
    const all = await test.run('help');
    for (const { name } of COMMANDS) expect(all).toContain(name);
    expect(await test.run('help value_dump')).toContain('[dst]');
    expect(await test.run('ls --help')).toContain('--recursive');
    await expect(test.run('lss')).rejects.toThrow(/DER_INVAL.*unknown command/);
    await expect(test.run('ls -z')).rejects.toThrow(/DER_INVAL.*unknown option/);
    await expect(test.run('ls / /')).rejects.toThrow('DER_INVAL');
  });

  it('that modify need a shard that is open for writing', async () => {
    await test.run('close');
    await test.run(`open ${PATH}`);
    const source = await file('x');
    const lines = [
      `value_load ${source} ${OBJECT_PATH}/d/a`, `rm /${CONTAINER}`, `ilog_commit ${OBJECT_PATH}`, `ilog_clear ${OBJECT_PATH}`,
      `dtx_cmt_clear /${CONTAINER}`, `dtx_act_commit /${CONTAINER} ${POOL}.1`, `dtx_act_abort /${CONTAINER} ${POOL}.1`,
      `dtx_act_discard_invalid /${CONTAINER} all`, `dtx_aggr /${CONTAINER}`, 'vea_update 5 6', 'feature -e immutable', 'rm_pool',
    ];
    for (const line of lines) await expect(test.run(line)).rejects.toThrow(/DER_INVAL.*-w/);
    expect(pool.tree.has(CONTAINER)).toBe(true);
    expect(store.calls).toEqual([]);
  });

  it('that need a shard say so when none is open', async () => {
    await test.run('close');
    for (const line of ['ls', 'superblock_dump', 'value_dump /[0]', 'vea_dump', `dtx_cmt_clear /${CONTAINER}`]) {
      await expect(test.run(line)).rejects.toThrow(/DER_NONEXIST.*open PATH/);
    }
  });
});

describe('open', () => {
  it('refuses a missing shard with DER_INVAL and a second one with DER_BUSY', async () => {
    await expect(test.run(`open ${PATH}`)).rejects.toThrow('DER_BUSY');
    await test.run('close');
    await expect(test.run(`open /missing/${POOL}/vos-0`)).rejects.toThrow('DER_INVAL');
    await expect(test.run('open')).rejects.toThrow('DER_INVAL');
    await expect(test.run('open /mnt/daos')).rejects.toThrow('DER_INVAL');
    expect(test.session.isOpen).toBe(false);
  });

  it('remembers whether it was for writing, until the shard is closed', async () => {
    expect([test.session.isOpen, test.session.isWritable]).toEqual([true, true]);
    await test.run('close');
    expect([test.session.isOpen, test.session.isWritable]).toEqual([false, false]);
    expect(pool.isClosed).toBe(true);
    await test.run(`open ${PATH} -p /my/db`);
    expect([test.session.isOpen, test.session.isWritable]).toEqual([true, false]);
    expect(store.opened.map(({ write }) => write)).toEqual([true, false]);
    expect(store.opened[1]?.path.dbPath).toBe('/my/db');
    await test.run('close');
    await test.run('close');
  });
});

describe('ls', () => {
  beforeEach(() => {
    pool.addSingle('d1', 'single', 'hello', 7n);
    pool.addArray('d1', 'array', 10n, 'abc', 8n);
    pool.addSingle('d2', 'x{y', 'z');
  });

  it('lists what is right below a path', async () => {
    expect(await test.run('ls')).toBe(`/\n[0] ${CONTAINER}\n[1] ${OTHER}`);
    expect(await test.run('ls [0]')).toBe(`/${CONTAINER}\n[0] '0.13.0.1'`);
    expect(await test.run('ls [0]/[0]')).toBe(`${OBJECT_PATH}\n[0] 'd1' (2)\n[1] 'd2' (2)`);
    expect(await test.run('ls [0]/[0]/d1')).toBe(`${OBJECT_PATH}/d1\n[0] 'single' (6) (SV)\n[1] 'array' (5) (ARRAY)`);
    expect(await test.run('ls [0]/[0]/[0]/[0]')).toContain('[0] Single Value (Length: 5 bytes, Epoch: 7)');
    expect(await test.run('ls [0]/[0]/[0]/[1]')).toContain('[0] Array Value (Length: 3 records, Record Indexes: {10-12}, Record Size: 1, Epoch: 8)');
    expect(await test.run(`ls /${OTHER}`)).toBe(`/${OTHER}`);
  });

  it('lists everything below with -r, and paths that can be used with -d', async () => {
    const text = await test.run('ls -r -d');
    expect(text).toContain(`${OBJECT_PATH}/d2/x\\{y`);
    expect(text).toContain('        [0] Single Value');
    expect(await test.run(`value_dump ${OBJECT_PATH}/d2/x\\{y`)).toContain('z');
  });

  it('says what is not there', async () => {
    await expect(test.run(`ls /${POOL}`)).rejects.toThrow(/DER_INVAL.*invalid container/);
    await expect(test.run('ls [2]')).rejects.toThrow(/DER_NONEXIST.*container \[2\]/);
    await expect(test.run('ls [0]/[1]')).rejects.toThrow(/DER_NONEXIST.*object \[1\]/);
    await expect(test.run('ls [0]/1.1.0.0')).rejects.toThrow('DER_NONEXIST');
    await expect(test.run('ls [0]/[0]/d3')).rejects.toThrow('DER_NONEXIST');
  });
});

describe('value_dump', () => {
  beforeEach(() => {
    pool.addSingle('d', 'single', 'hello');
    pool.addArray('d', 'array', 10n, 'a\0c');
  });

  it('shows a value, as text or in hexadecimal', async () => {
    expect(await test.run(`value_dump ${OBJECT_PATH}/d/single`)).toBe(`hello\n${OBJECT_PATH}/d/single: 5 bytes`);
    expect(await test.run(`value_dump ${OBJECT_PATH}/d/array/[0]`)).toContain('00000000  610063');
    expect(await test.run(`value_dump ${OBJECT_PATH}/d/single/[0]`)).toContain('hello');
  });

  it('writes a value to a file', async () => {
    const path = join(dir, 'value');
    await test.run(`value_dump ${OBJECT_PATH}/d/array/{10-12} ${path}`);
    expect(await readFile(path, 'latin1')).toBe('a\0c');
    await expect(test.run(`value_dump ${OBJECT_PATH}/d/single ${dir}/no/such`)).rejects.toThrow('DER_INVAL');
  });

  it('wants a path that goes down to a value', async () => {
    await expect(test.run('value_dump')).rejects.toThrow('DER_INVAL');
    for (const path of [`/${CONTAINER}`, OBJECT_PATH, `${OBJECT_PATH}/d`, `${OBJECT_PATH}/d/array`]) {
      await expect(test.run(`value_dump ${path}`)).rejects.toThrow(/DER_INVAL.*incomplete path/);
    }
    await expect(test.run(`value_dump ${OBJECT_PATH}/d/single/{0-1}`)).rejects.toThrow(/DER_INVAL.*single value/);
    await expect(test.run(`value_dump ${OBJECT_PATH}/d/none`)).rejects.toThrow('DER_NONEXIST');
  });
});

describe('value_load', () => {
  beforeEach(() => {
    pool.addSingle('d', 'single', 'old');
    pool.addArray('d', 'array', 10n, 'abc');
  });

  it.each([
    ['an existing value', 'd/single'],
    ['an existing value by index', '[0]/[0]'],
    ['a new akey', 'd/new'],
    ['a new dkey and akey', 'new dkey/new'],
    ['a new extent', 'd/array/{100-102}'],
    ['a new array', 'd/other/{5-7}'],
  ])('writes %s, which can be read back', async (_what, path) => {
    const line = `"${OBJECT_PATH}/${path}"`;
    await test.run(`value_load ${await file('new')} ${line}`);
    expect(await test.run(`value_dump ${line}`)).toContain('new\n');
  });

  it('refuses a source that is missing or empty', async () => {
    await expect(test.run('value_load')).rejects.toThrow('DER_INVAL');
    await expect(test.run(`value_load ${dir}/missing ${OBJECT_PATH}/d/single`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`value_load ${await file('')} ${OBJECT_PATH}/d/single`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`value_load ${dir} ${OBJECT_PATH}/d/single`)).rejects.toThrow('DER_INVAL');
  });

  it('refuses a path that is incomplete, of an unknown container, or with an index of what is not there', async () => {
    const source = await file('new');
    await expect(test.run(`value_load ${source}`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`value_load ${source} ${OBJECT_PATH}/d`)).rejects.toThrow(/DER_INVAL.*incomplete path/);
    await expect(test.run(`value_load ${source} ${OBJECT_PATH}/d/array`)).rejects.toThrow(/DER_INVAL.*incomplete path/);
    await expect(test.run(`value_load ${source} ${OBJECT_PATH}/d/single/{0-2}`)).rejects.toThrow(/DER_INVAL.*single value/);
    await expect(test.run(`value_load ${source} /${POOL}/0.13.0.1/d/a`)).rejects.toThrow(/DER_INVAL.*invalid container/);
    await expect(test.run(`value_load ${source} ${OBJECT_PATH}/d/[9]`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`value_load ${source} ${OBJECT_PATH}/[9]/a`)).rejects.toThrow('DER_INVAL');
  });
});

describe('csum_dump', () => {
  beforeEach(() => {
    pool.addSingle('d', 'single', 'old', 5n, { ...CRC, bytes: Buffer.from('01020304', 'hex') });
    pool.addSingle('d', 'single', 'new', 9n, CRC);
    pool.addArray('d', 'array', 10n, 'abc', 5n, { ...CRC, bytes: Buffer.from('0506070809101112', 'hex') });
    pool.addSingle('d', 'plain', 'none');
  });

  it('shows the checksums of single values and extents', async () => {
    expect(await test.run(`csum_dump ${OBJECT_PATH}/d/single`)).toContain('[0] 0xa1b2c3d4');
    const text = await test.run(`csum_dump ${OBJECT_PATH}/d/array/[0]`);
    expect(text).toContain('{10-12}');
    expect(text).toContain('crc32');
    expect(text).toContain('[0] 0x05060708\n  [1] 0x09101112');
    expect(await test.run(`csum_dump ${OBJECT_PATH}/d/plain`)).toBe('no checksums');
  });

  it('writes them to a file', async () => {
    const path = join(dir, 'sums');
    await test.run(`csum_dump ${OBJECT_PATH}/d/array/{10-12} ${path}`);
    expect(await readFile(path, 'hex')).toBe('0506070809101112');
  });

  it('shows those of an older version at its epoch', async () => {
    expect(await test.run(`csum_dump -e 8 ${OBJECT_PATH}/d/single`)).toContain('0x01020304');
    await expect(test.run(`csum_dump -e x ${OBJECT_PATH}/d/single`)).rejects.toThrow('DER_INVAL');
  });

  it('refuses no path and a path into a container that is not there', async () => {
    await expect(test.run('csum_dump')).rejects.toThrow('DER_INVAL');
    await expect(test.run(`csum_dump /${POOL}/0.13.0.1/d/single`)).rejects.toThrow('DER_INVAL');
  });
});

describe('rm', () => {
  beforeEach(() => {
    pool.addSingle('d', 'a', 'x');
    pool.addSingle('d', 'b', 'x');
  });

  it('removes a container', async () => {
    await test.run(`rm /${CONTAINER}`);
    expect([...pool.containers()]).toEqual([OTHER]);
  });

  it('removes an akey, and an object with all below', async () => {
    await test.run(`rm ${OBJECT_PATH}/d/[0]`);
    expect(await test.run(`ls ${OBJECT_PATH}/d`)).toBe(`${OBJECT_PATH}/d\n[0] 'b' (1) (SV)`);
    await test.run(`rm ${OBJECT_PATH}`);
    expect([...pool.objects(CONTAINER)]).toEqual([]);
  });

  it('does not take the whole shard', async () => {
    await expect(test.run('rm /')).rejects.toThrow(/DER_INVAL.*rm_pool/);
    await expect(test.run('rm')).rejects.toThrow('DER_INVAL');
  });
});

describe('the commands for incarnation logs', () => {
  it.each([OBJECT_PATH, `${OBJECT_PATH}/d`, `${OBJECT_PATH}/d/a`])('show, commit and clear that of %s', async (path) => {
    pool.addSingle('d', 'a', 'x');
    pool.logs.set(path, [{ epoch: 5n, owner: 3, status: 'uncommitted', isPunch: false }, { epoch: 6n, owner: 0, status: 'committed', isPunch: true }]);
    expect(await test.run(`ilog_dump ${path}`)).toContain('Index: 0\n  Kind: update\n  Status: uncommitted\n  Epoch: 5\n  Txn ID: 3\nIndex: 1\n  Kind: punch');
    await test.run(`ilog_commit ${path}`);
    expect(await test.run(`ilog_dump ${path}`)).not.toContain('uncommitted');
    await test.run(`ilog_clear ${path}`);
    expect(await test.run(`ilog_dump ${path}`)).toBe('no entries');
  });

  it.each(['ilog_dump', 'ilog_commit', 'ilog_clear'])('%s refuses a container, an extent, and no path', async (command) => {
    await expect(test.run(`${command} /${CONTAINER}`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`${command} ${OBJECT_PATH}/d/a/{0-1}`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(command)).rejects.toThrow('DER_INVAL');
  });
});

describe('the commands for transactions', () => {
  const uuid = OTHER;
  const active = (hlc: bigint) => {
    const oid = { oid: { hi: 1n, lo: 2n }, shard: 3, layoutVersion: 1 };
    return { id: { uuid, hlc }, epoch: 50n + hlc, oid, groupCount: 1, version: 2, recordCount: 4, flags: 1, mbsFlags: 8 };
  };
  const committed = (no: number) => ({ id: { uuid, hlc: BigInt(no + 1) }, epoch: BigInt(no + 100), commitTime: 1000 + no });

  beforeEach(() => {
    pool.active = [active(0x10n), active(0x11n)];
    pool.committed = Array.from({ length: 10 }, (_, no) => committed(no));
  });

  it('show and count them', async () => {
    const all = await test.run(`dtx_dump /${CONTAINER}`);
    expect(all).toContain(`ID: ${OTHER}.10\n  Epoch: 66\n  Grp Cnt: 1\n  Ver: 2\n  Rec Cnt: 4\n  Mbs Flags: 8\n  Flags: 1\n  Oid: 1.2.3.1`);
    expect(all).toContain(`ID: ${OTHER}.a\n  Epoch: 109`);
    expect(await test.run(`dtx_dump -a /${CONTAINER}`)).not.toContain('Committed');
    expect(await test.run(`dtx_dump -c /${CONTAINER}`)).not.toContain('Active');
    expect(await test.run(`dtx_stat /${CONTAINER}`)).toBe(`${CONTAINER}: 2 active, 10 committed`);
    expect(await test.run('dtx_stat -d')).toContain('1970-01-01T00:16:40.000Z to 1970-01-01T00:16:49.000Z');
  });

  it('commit and abort an active one', async () => {
    await test.run(`dtx_act_commit /${CONTAINER} ${OTHER}.10`);
    await test.run(`dtx_act_abort [0] ${OTHER}.0x11`);
    expect(pool.active).toEqual([]);
    expect(pool.committed).toHaveLength(11);
    await expect(test.run(`dtx_act_abort [0] ${OTHER}.11`)).rejects.toThrow('DER_NONEXIST');
    await expect(test.run(`dtx_act_commit [0] ${OTHER}.99`)).rejects.toThrow('DER_NONEXIST');
  });

  it('drop invalid records of one or of all active ones', async () => {
    await test.run(`dtx_act_discard_invalid [0] ${OTHER}.11`);
    expect(await test.run('dtx_act_discard_invalid [0] all')).toContain(`${OTHER}.10: 2 records dropped`);
    expect(pool.discarded.map(({ hlc }) => hlc)).toEqual([0x11n, 0x10n, 0x11n]);
  });

  it.each(['dtx_dump', 'dtx_cmt_clear', 'dtx_act_commit', 'dtx_act_abort', 'dtx_act_discard_invalid'])('%s needs the path of a container', async (command) => {
    const id = command.startsWith('dtx_act') ? ` ${OTHER}.10` : '';
    await expect(test.run(command)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`${command} /${id}`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`${command} ${OBJECT_PATH}${id}`)).rejects.toThrow('DER_INVAL');
    await expect(test.run(`${command} /${POOL}${id}`)).rejects.toThrow(/DER_INVAL.*invalid container/);
  });

  it.each(['dtx_act_commit', 'dtx_act_abort', 'dtx_act_discard_invalid'])('%s needs a transaction id', async (command) => {
    for (const id of ['', 'garbage.more', `${OTHER}.garbage`, 'garbage.123', OTHER]) {
      await expect(test.run(`${command} [0] ${id}`)).rejects.toThrow('DER_INVAL');
    }
  });

  it('dtx_cmt_clear forgets the committed ones', async () => {
    expect(await test.run('dtx_cmt_clear [0]')).toBe('removed 10 committed transactions');
    expect(pool.committed).toEqual([]);
  });

  it('dtx_aggr without a time forgets all', async () => {
    pool.committed = pool.committed.slice(0, 8);
    expect(await test.run('dtx_aggr [0]')).toBe(`${CONTAINER}: removed 8 committed transactions`);
    expect(pool.committed).toEqual([]);
  });

  it('dtx_aggr with a time forgets exactly the older ones, and another without one the rest', async () => {
    expect(await test.run('dtx_aggr [0] -t 1002')).toContain('removed 3');
    expect(pool.committed.map(({ commitTime }) => commitTime)[0]).toBe(1003);
    expect(await test.run('dtx_aggr [0]')).toContain('removed 7');
  });

  it('dtx_aggr takes a date instead, and no nonsense', async () => {
    const local = new Date(1002 * 1000);
    const two = (value: number): string => String(value).padStart(2, '0');
    const date = `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())} ${two(local.getHours())}:${two(local.getMinutes())}:${two(local.getSeconds())}`;
    expect(await test.run(`dtx_aggr -d '${date}'`)).toContain(`${CONTAINER}: removed 3`);
    for (const options of ['-t x', '-t -1', "-d '2024-13-01 00:00:00'", "-d '2024-02-30 00:00:00'", '-d today', `-t 5 -d '${date}'`]) {
      await expect(test.run(`dtx_aggr ${options}`)).rejects.toThrow('DER_INVAL');
    }
  });
});

describe('the commands for the shard', () => {
  it('superblock_dump shows the superblock', async () => {
    const text = await test.run('superblock_dump');
    for (const line of [`Pool UUID: ${POOL}`, 'Format Version: 28', 'Containers: 2', 'Compat Flags: 0']) expect(text).toContain(line);
  });

  it('vea_dump shows free regions, vea_update adds one', async () => {
    await test.run('vea_update 500 20');
    expect(await test.run('vea_dump')).toBe('[0] offset 1, 10 blocks\n[1] offset 100, 7 blocks\n[2] offset 500, 20 blocks\n3 free regions');
    for (const args of ['', '5', '0 5', '5 0', '-- -5 5', 'x 5', '5 1.5']) await expect(test.run(`vea_update ${args}`)).rejects.toThrow('DER_INVAL');
    expect(pool.regions).toHaveLength(3);
  });

  it('feature changes and shows features, one thing at a time', async () => {
    expect(await test.run('feature -e immutable,skip_rebuild')).toContain('Compat Flags: 5 (immutable,skip_rebuild)');
    expect(await test.run('feature -d immutable')).toContain('Compat Flags: 4 (skip_rebuild)');
    expect(await test.run('feature -s')).toContain('Compat Flags: 4');
    for (const options of ['', '-s -e immutable', '-e immutable -d immutable', '-e nonsense', '-e toString', '-e ""']) {
      await expect(test.run(`feature ${options}`)).rejects.toThrow('DER_INVAL');
    }
  });

  it('feature opens the shard at a path for itself', async () => {
    await expect(test.run(`feature -s ${PATH}`)).rejects.toThrow('DER_BUSY');
    await test.run('close');
    expect(await test.run(`feature -e skip_start ${PATH}`)).toContain('skip_start');
    expect(test.session.isOpen).toBe(false);
    const reader = new TestSession(store);
    await expect(reader.run(`feature -e skip_start ${PATH}`)).rejects.toThrow(/DER_INVAL.*-w/);
    expect(await reader.run(`feature -s ${PATH}`)).toContain('skip_start');
  });

  it('rm_pool removes the open shard, or one at a path', async () => {
    await expect(test.run(`rm_pool ${PATH}`)).rejects.toThrow('DER_BUSY');
    await test.run('rm_pool');
    expect(pool.isClosed).toBe(true);
    await test.run(`rm_pool ${PATH.replace('vos-0', 'vos-1')}`);
    expect(store.calls).toEqual([`removePool ${PATH}`, `removePool ${PATH.replace('vos-0', 'vos-1')}`]);
    await expect(test.run('rm_pool')).rejects.toThrow('DER_INVAL');
    await expect(new TestSession(store).run(`rm_pool ${PATH}`)).rejects.toThrow(/DER_INVAL.*-w/);
  });
});

describe('the commands for devices', () => {
  it('pass on what they are given, with the defaults of DAOS', async () => {
    await expect(test.run('dev_list /db')).rejects.toThrow('DER_BUSY');
    await test.run('close');
    await test.run('smd_sync');
    await test.run('smd_sync /conf /db');
    expect(await test.run('dev_list /db')).toBe(`Device: ${OTHER}, state NORMAL, targets 0 1`);
    await test.run(`dev_replace /db ${OTHER} ${POOL}`);
    await test.run('prov_mem /db /mnt -s 16');
    await test.run('prov_mem /db /mnt');
    expect(store.calls).toEqual([
      'smdSync /mnt/daos/daos_nvme.conf /mnt/daos', 'smdSync /conf /db', 'devices /db', `deviceReplace /db ${OTHER} ${POOL}`,
      'provisionMemory /db /mnt 16', 'provisionMemory /db /mnt undefined',
    ]);
  });

  it('refuse what is missing or wrong', async () => {
    await test.run('close');
    const lines = ['dev_list', 'dev_replace /db', `dev_replace /db ${OTHER}`, `dev_replace /db x ${OTHER}`, `dev_replace /db ${OTHER} ${OTHER}`, 'prov_mem /db', 'prov_mem /db /mnt -s x'];
    for (const line of lines) await expect(test.run(line)).rejects.toThrow('DER_INVAL');
    expect(store.calls).toEqual([]);
  });
});
