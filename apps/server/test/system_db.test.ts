import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { uuidGenerate } from '@daos/common';
import { open } from 'lmdb';

import { MEMBER_STATES, type MemberState } from '@daos/control';

import { isLegalTransition, type Member } from '../src/system/member.js';
import type { PoolRecord } from '../src/system/pool_record.js';
import { SystemDb } from '../src/system/system_db.js';
import { LmdbSystemLog } from '../src/system/system_log.js';
import { SystemState } from '../src/system/system_state.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daos-sysdb-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

export function makeMember(rank: number, fields: Partial<Member> = {}): Member {
  return {
    rank,
    uuid: uuidGenerate(),
    incarnation: '5',
    address: '127.0.0.1:10001',
    fabricUri: `ofi+tcp://127.0.0.1:${31416 + rank * 100}`,
    fabricContexts: 4,
    state: 'Joined',
    info: '',
    faultDomain: '/h',
    lastUpdate: '',
    ...fields,
  };
}

function makePool(label: string): PoolRecord {
  return {
    uuid: uuidGenerate(),
    label,
    state: 'Creating',
    replicas: [],
    replicasVersion: 0,
    ranks: [0],
    tierBytes: [1, 2],
    lastUpdate: '',
  };
}

async function openDb(): Promise<SystemDb> {
  return SystemDb.open(await LmdbSystemLog.open(folder));
}

describe('system database', () => {
  it('keeps members, pools and attributes over a restart, with and without snapshots', async () => {
    let db = await openDb();
    const member = makeMember(0);
    await db.addMember(member);
    const pool = makePool('tank');
    await db.addPool(pool);
    await db.setAttributes({ a: '1', b: '2' });
    for (let round = 0; round < 100; round++) {
      await db.updateMember(0, () => ({ info: `round ${round}` }));
      if (round % 40 !== 0) continue;
      const before = db.state.snapshot();
      await db.close();
      db = await openDb();
      expect(db.state.snapshot()).toEqual(before);
    }
    await db.setAttributes({ a: '' });
    await db.updatePool(pool.uuid, () => ({ state: 'Ready', label: 'lake' }));
    await db.close();
    db = await openDb();
    expect(db.state.memberByRank(0)?.info).toBe('round 99');
    expect(db.state.poolByLabel('lake')).toMatchObject({ uuid: pool.uuid, state: 'Ready' });
    expect(db.state.poolByLabel('tank')).toBeUndefined();
    expect([...db.state.attributes]).toEqual([['b', '2']]);
    expect(db.version).toBe(105);
    await db.close();
  });

  it('gives every change to a log opened by another process after a crash (no close)', async () => {
    const db = await openDb();
    await db.addMember(makeMember(0));
    await db.addPool(makePool('tank'));
    const copy = await openDb();
    expect(copy.state.snapshot()).toEqual(db.state.snapshot());
    await db.close();
  });

  it('refuses a database of a newer version and changes nothing', async () => {
    const raw = open({ path: join(folder, 'daos_system.db'), noSubdir: true, encoding: 'json' });
    await raw.put('format', { magic: 'DAOS system database', version: 2 });
    await raw.close();
    await expect(LmdbSystemLog.open(folder)).rejects.toMatchObject({ der: 'DF_INCOMPT' });
  });

  it('makes changes one after another, each seeing the one before', async () => {
    const db = await openDb();
    await Promise.all(
      [0, 1, 2].map(async (rank) =>
        db.commit((state) => ({
          op: 1,
          member: makeMember(state.members.length === 0 ? 0 : state.nextRank, { info: String(rank) }),
        }))
      ),
    );
    expect(db.state.members.map((member) => [member.rank, member.info])).toEqual([[0, '0'], [1, '1'], [
      2,
      '2',
    ]]);
    await db.close();
  });

  it('refuses duplicates and leaves state and log as they were', async () => {
    const db = await openDb();
    const pool = makePool('tank');
    await db.addPool(pool);
    expect(() => {
      db.findPool('');
    }).toThrow(/INVAL/);
    expect(() => {
      db.findPool('nosuch');
    }).toThrow(/unable to find pool service with label "nosuch"/);
    expect(() => {
      db.findReadyPool('tank');
    }).toThrow(/DER_AGAIN/);
    expect(db.findPool(pool.uuid.toUpperCase()).label).toBe('tank');
    await db.close();
  });

  it('stops taking changes when the disk fails', async () => {
    let broken = false;
    const db = SystemDb.open({
      load: () => ({ snapshotIndex: 0, snapshot: undefined, entries: [] }),
      append: () => (broken ? Promise.reject(new Error('disk full')) : Promise.resolve()),
      compact: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
    await db.addMember(makeMember(0));
    broken = true;
    await expect(db.addMember(makeMember(1))).rejects.toMatchObject({ der: 'IO' });
    broken = false;
    await expect(db.addMember(makeMember(2))).rejects.toMatchObject({ der: 'IO' });
    expect(db.state.members).toHaveLength(1);
  });
});

describe('system state', () => {
  it('refuses what does not fit', () => {
    const state = new SystemState();
    const member = makeMember(3);
    state.apply({ op: 1, member });
    expect(() => {
      state.apply({ op: 1, member: makeMember(3) });
    }).toThrow(/rank 3 exists/);
    expect(() => {
      state.apply({ op: 1, member: { ...member, rank: 4 } });
    }).toThrow(/exists/);
    expect(() => {
      state.apply({ op: 99 } as never);
    }).toThrow(/unknown change/);
    expect(() => SystemState.restore({ ...state.snapshot(), schemaVersion: 1 })).toThrow(/schema version 1/);
    expect(state).toMatchObject({ version: 1, nextRank: 4, mapVersion: 1 });
    state.apply({ op: 3, uuid: 'absent' });
    state.apply({ op: 7 });
    expect(state).toMatchObject({ version: 3, mapVersion: 2 });
  });
});

describe('member states', () => {
  it('allow and forbid the transitions that reports may make', () => {
    const forbidden: [MemberState, MemberState[]][] = [
      ['AwaitFormat', ['Excluded']],
      ['Starting', ['Excluded']],
      ['Ready', ['Excluded']],
      ['Joined', ['Ready']],
      ['Errored', ['Ready', 'Joined', 'Stopping']],
      ['Unresponsive', ['Ready', 'Joined', 'Stopping']],
      ['CheckerStarted', ['Ready', 'Joined']],
      ['Excluded', ['Errored', 'Stopping', 'Stopped', 'Starting', 'Ready', 'Unresponsive']],
      ['Stopped', []],
      ['Stopping', []],
      ['Unknown', [...MEMBER_STATES]],
      ['AdminExcluded', [...MEMBER_STATES]],
    ];
    for (const [from, denied] of forbidden) {
      for (const to of MEMBER_STATES) {
        expect([from, to, isLegalTransition(from, to)]).toEqual([
          from,
          to,
          from !== to && !denied.includes(to),
        ]);
      }
    }
  });
});
