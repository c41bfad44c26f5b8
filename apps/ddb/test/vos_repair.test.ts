import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { IodType, uuidGenerate, type Epoch, type UnitOid } from '@daos/common';
import { DtxHandle, dtxIdText, vosPoolCreate, vosPoolOpen, type DtxId, type KeyFlavours, type VosContainer } from '@daos/vos';

import { VosDdbStore } from '../src/pool/vos_ddb_store.js';
import { CONTAINER, POOL } from './fake_pool.js';
import { TestSession } from './harness.js';

const MIB = 1024 * 1024;
const HASHED: KeyFlavours = { dkey: 'hashed', akey: 'hashed' };
const OBJECT_PATH = `/${CONTAINER}/0.13.0.1`;

let dir: string;
let shard: string;
let test: TestSession;
let seconds = 1000;

/** One value, in a transaction or without; the result is the transaction's id. */
async function write(container: VosContainer, epoch: Epoch, dkey: string, isTx: boolean): Promise<DtxId> {
  const oid: UnitOid = { oid: { hi: 0n, lo: 13n }, shard: 0, layoutVersion: 1 };
  const iods = [{ akey: Buffer.from('a'), type: IodType.SINGLE, size: 1, recxs: [] }];
  const id = { uuid: uuidGenerate(), hlc: epoch };
  const handle = isTx ? new DtxHandle({ id, epoch, modificationCount: 1, version: 7 }) : undefined;
  await container.update({ oid, flavours: HASHED, epoch, flags: 0, dkey: Buffer.from(dkey), iods, values: [Buffer.from('v')] }, handle);
  return id;
}

/** A shard in which `work` was done, open in ddb. */
async function prepare(work: (container: VosContainer) => Promise<void>): Promise<void> {
  const pool = await vosPoolOpen({ dir: shard, uuid: POOL, nowSeconds: () => seconds });
  const container = pool.containerOpen(CONTAINER);
  await work(container);
  container.close();
  await pool.close();
  await test.run(`open -w ${shard}`);
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ddb-repair-'));
  shard = join(dir, POOL, 'vos-0');
  await vosPoolCreate({ dir: shard, uuid: POOL, scmBytes: 16 * MIB, nvmeBytes: 4 * MIB });
  const pool = await vosPoolOpen({ dir: shard, uuid: POOL });
  await pool.containerCreate(CONTAINER);
  await pool.close();
  test = new TestSession(new VosDdbStore(), { write: true });
});

afterEach(async () => {
  await test.session.close();
  await rm(dir, { recursive: true, force: true });
});

describe('incarnation logs of a shard', () => {
  it('are shown, committed and cleared, of objects and of dkeys; a container has none', async () => {
    await prepare(async (container) => {
      await write(container, 10n, 'plain', false);
      await write(container, 20n, 'open', true);
    });
    for (const command of ['ilog_dump', 'ilog_commit', 'ilog_clear']) await expect(test.run(`${command} /${CONTAINER}`)).rejects.toThrow('DER_INVAL');
    expect(await test.run(`ilog_dump ${OBJECT_PATH}`)).toMatch(/Kind: update\n {2}Status: committed\n {2}Epoch: 10\n/);
    expect(await test.run(`ilog_dump ${OBJECT_PATH}/open`)).toMatch(/Status: uncommitted\n {2}Epoch: 20\n {2}Txn ID: [1-9]/);
    await test.run(`ilog_commit ${OBJECT_PATH}/open`);
    expect(await test.run(`ilog_dump ${OBJECT_PATH}/open`)).toMatch(/Status: committed\n {2}Epoch: 20\n {2}Txn ID: 0/);
    expect(await test.run(`ls ${OBJECT_PATH}`)).toContain("'plain'");
    await test.run(`ilog_clear ${OBJECT_PATH}/plain`);
    await test.run('close');
    await test.run(`open -w ${shard}`);
    expect(await test.run(`ilog_dump ${OBJECT_PATH}/open`)).toContain('Status: committed');
    expect(await test.run(`ls ${OBJECT_PATH}`)).not.toContain("'plain'");
    await test.run(`ilog_clear ${OBJECT_PATH}`);
    expect(await test.run(`ls /${CONTAINER}`)).not.toContain('0.13.0.1');
  });
});

describe('transactions of a shard', () => {
  it('are shown, committed and aborted', async () => {
    const ids: DtxId[] = [];
    await prepare(async (container) => {
      for (const epoch of [10n, 20n, 30n]) ids.push(await write(container, epoch, `d${epoch}`, true));
      await container.dtxCommit(ids.slice(0, 1));
    });
    const [committed, first, second] = ids.map(dtxIdText);
    expect(await test.run('dtx_stat')).toContain(`${CONTAINER}: 2 active, 1 committed`);
    const text = await test.run(`dtx_dump /${CONTAINER}`);
    for (const id of [committed, first, second]) expect(text).toContain(`ID: ${id}`);
    expect(text).toContain('  Ver: 7');
    expect(await test.run(`dtx_dump -a /${CONTAINER}`)).not.toContain(`ID: ${committed}`);
    for (const command of ['dtx_cmt_clear', 'dtx_act_commit', 'dtx_act_abort']) await expect(test.run(`${command} ${OBJECT_PATH}`)).rejects.toThrow('DER_INVAL');
    await test.run(`dtx_act_commit /${CONTAINER} ${first}`);
    await test.run(`dtx_act_abort /${CONTAINER} ${second}`);
    await expect(test.run(`dtx_act_commit /${CONTAINER} ${second}`)).rejects.toThrow('DER_NONEXIST');
    const listing = await test.run(`ls ${OBJECT_PATH}`);
    expect(listing).toContain("'d20'");
    expect(listing).not.toContain("'d30'");
    expect(await test.run(`dtx_act_discard_invalid /${CONTAINER} all`)).not.toContain('records');
    expect(await test.run(`dtx_cmt_clear /${CONTAINER}`)).toContain('removed 2 committed');
    expect(await test.run('dtx_stat')).toContain('0 active, 0 committed');
  });

  it('that were committed long ago are forgotten: all, or those up to a time', async () => {
    await prepare(async (container) => {
      for (let i = 0; i < 8; i++) await container.dtxCommit([await write(container, BigInt(10 + i), 'd', true)]);
    });
    expect(await test.run(`dtx_aggr /${CONTAINER}`)).toContain('removed 8 committed');
    await test.run('close');
    await prepare(async (container) => {
      for (let i = 0; i < 10; i++) {
        seconds = 2000 + i;
        await container.dtxCommit([await write(container, BigInt(100 + i), 'd', true)]);
      }
    });
    expect(await test.run(`dtx_aggr -t 2002 /${CONTAINER}`)).toContain('removed 3 committed');
    expect(await test.run('dtx_aggr')).toContain('removed 7 committed');
  });
});

describe('the space and the flags of a shard', () => {
  it('show the free regions; blocks that are free already are not freed', async () => {
    await prepare(() => Promise.resolve());
    expect(await test.run('vea_dump')).toBe('[0] offset 0, 1024 blocks\n1 free regions');
    await expect(test.run('vea_update 5 2')).rejects.toThrow('DER_INVAL');
  });

  it('show the version; flags are switched on and off', async () => {
    await prepare(() => Promise.resolve());
    expect(await test.run('superblock_dump')).toContain('Format Version: 28');
    await test.run('feature -e immutable,skip_rebuild');
    await test.run('feature -d immutable');
    await test.run('close');
    await test.run(`open ${shard}`);
    expect(await test.run('feature -s')).toContain('skip_rebuild');
    expect(await test.run('superblock_dump')).toContain('Compat Flags: 4');
    await expect(test.run('feature -e immutable')).rejects.toThrow('DER_INVAL');
  });
});
