import { SystemQueryResp, SystemStopResp } from '@daos/proto/mgmt/system';
import { GetAttachInfoResp, LeaderQueryResp } from '@daos/proto/mgmt/svc';
import { RpcStatusError, Sentinel, clientFaults } from '@daos/control';

import { dmg, setUp, tearDown } from './harness.js';

beforeAll(setUp);
afterAll(tearDown);

function member(rank: number, state: string, info = ''): object {
  return {
    addr: '127.0.0.1:10001',
    uuid: '75730b1f-f9ff-4efa-b27f-ae557741b7aa',
    rank,
    incarnation: 2975155106022948864n,
    state,
    fabricUri: 'ofi+tcp://127.0.0.1:31416',
    fabricContexts: 3,
    info,
    faultDomain: '/host1',
    lastUpdate: '2026-11-23T03:59:56.645915184Z',
  };
}

function members(...list: object[]): object {
  return SystemQueryResp.fromPartial({ members: list, providers: ['ofi+tcp'], sysSelfHealPolicy: 'exclude;pool_exclude;pool_rebuild' });
}

describe('dmg system query', () => {
  it('groups ranks by state', async () => {
    expect((await dmg({ SystemQuery: members(member(0, 'joined'), member(1, 'joined')) }, 'system', 'query')).out).toBe(
      'Rank  State\n----  -----\n[0-1] Joined\n',
    );
  });

  it('tells all of each rank with -v', async () => {
    expect((await dmg({ SystemQuery: members(member(0, 'errored', 'exited')) }, 'sys', 'query', '-v')).out).toBe(
      'Rank UUID                                 Control Address Fault Domain State   Reason\n' +
        '---- ----                                 --------------- ------------ -----   ------\n' +
        '0    75730b1f-f9ff-4efa-b27f-ae557741b7aa 127.0.0.1:10001 /host1       Errored exited\n',
    );
  });

  it('names ranks that do not exist', async () => {
    const some = SystemQueryResp.fromPartial({ members: [member(0, 'joined')], absentranks: '1-3' });
    expect(await dmg({ SystemQuery: some }, 'system', 'query', '--ranks', '0-3')).toMatchObject({
      code: 1,
      out: 'Rank  State\n----  -----\n[1-3] Unknown Rank\n0     Joined\n',
      err: 'ERROR: dmg: system query failed: non-existent ranks 1-3\n',
    });
    const none = SystemQueryResp.fromPartial({ absentranks: '9', sysSelfHealPolicy: 'exclude' });
    expect(await dmg({ SystemQuery: none }, 'system', 'query', '--ranks', '9')).toMatchObject({
      out: 'Query matches no ranks in system\n',
      err: 'ERROR: Unknown 1 rank: 9\nERROR: dmg: system query failed: non-existent ranks 9\n',
    });
    expect(JSON.parse((await dmg({ SystemQuery: none }, '-j', 'system', 'query', '--ranks', '9')).out)).toEqual({
      response: { members: null, providers: null, sys_self_heal_policy: 'exclude' },
      error: 'non-existent ranks 9',
      status: -1025,
    });
  });

  it('prints JSON with whole 64-bit numbers', async () => {
    const { out } = await dmg({ SystemQuery: members(member(0, 'joined')) }, '-j', 'system', 'query');
    expect(out).toContain('"incarnation": 2975155106022948864,');
    expect(JSON.parse(out)).toMatchObject({ response: { members: [{ state: 'joined', secondary_fabric_uris: null }], providers: ['ofi+tcp'] } });
  });

  it('passes filters on, and refuses those that exclude each other', async () => {
    let mask = 0;
    const answers = {
      SystemQuery: (request: { stateMask: number }) => {
        mask = request.stateMask;
        return members();
      },
    };
    await dmg(answers, 'system', 'query', '--with-states', 'joined,stopped');
    expect(mask).toBe(0x28);
    await dmg(answers, 'system', 'query', '--not-ok');
    expect(mask).toBe(0x7ff & ~0x8);
    expect((await dmg({}, 'system', 'query', '--ranks', '0', '--rank-hosts', 'h')).err).toBe(
      'ERROR: dmg: system query failed: --ranks and --rank-hosts options cannot be set together\n',
    );
  });

  it('says why there is no answer', async () => {
    expect((await dmg({ SystemQuery: clientFaults.faultRefused('127.0.0.1:10001') }, 'system', 'query')).err).toBe(
      'ERROR: dmg: system query failed: client: code = 506 description = "the server at 127.0.0.1:10001 refused the connection": ' +
        'unable to contact the DAOS Management Service\n',
    );
    expect((await dmg({ SystemQuery: new RpcStatusError(2, Sentinel.UNINITIALIZED) }, 'system', 'query')).err).toBe(
      'ERROR: dmg: system query failed: rpc error: code = Unknown desc = system is uninitialized (storage format required?)\n',
    );
  });
});

describe('dmg system stop and start', () => {
  const result = { rank: 0, action: 'stop', errored: false, msg: 'system stop', state: 'stopped', addr: '127.0.0.1:10001' };

  it('shows the outcome for each rank', async () => {
    const ran = await dmg({ SystemStop: SystemStopResp.fromPartial({ results: [result] }) }, 'system', 'stop');
    expect(ran).toMatchObject({ code: 0, out: 'Rank Operation Result\n---- --------- ------\n0    stop      OK\n' });
    const json = await dmg({ SystemStop: SystemStopResp.fromPartial({ results: [result] }) }, '-j', 'system', 'stop');
    expect(JSON.parse(json.out)).toEqual({
      response: { Results: [{ state: 'stopped', Addr: '127.0.0.1:10001', Rank: 0, Action: 'stop', Errored: false, Msg: 'system stop' }] },
      error: null,
      status: 0,
    });
  });

  it('fails when a rank fails or does not exist', async () => {
    const failed = SystemStopResp.fromPartial({ results: [{ ...result, errored: true, msg: 'no answer' }] });
    expect(await dmg({ SystemStart: failed }, 'system', 'start')).toMatchObject({
      code: 1,
      out: 'Rank Operation Result\n---- --------- ------\n0    stop      no answer\n',
      err: 'ERROR: dmg: system start failed: failed rank 0\n',
    });
    expect(await dmg({ SystemStop: SystemStopResp.fromPartial({ absentranks: '9' }) }, 'system', 'stop', '--ranks', '9')).toMatchObject({
      code: 1,
      out: 'No results returned\n',
      err: 'ERROR: Unknown 1 rank: 9\nERROR: dmg: system stop failed: non-existent ranks 9\n',
    });
  });

  it('kills unless a full stop is asked for', async () => {
    const forces: boolean[] = [];
    const answers = {
      SystemStop: (request: { force: boolean }) => {
        forces.push(request.force);
        return SystemStopResp.fromPartial({ results: [result] });
      },
    };
    await dmg(answers, 'system', 'stop');
    await dmg(answers, 'system', 'stop', '--full');
    expect(forces).toEqual([true, false]);
  });
});

it('shows leader and versions', async () => {
  const leader = LeaderQueryResp.fromPartial({ currentLeader: 'h:10001', replicas: ['h:10001'] });
  expect((await dmg({ LeaderQuery: leader }, 'system', 'leader-query')).out).toBe(
    'Current Leader: h:10001\n   Replica Set: h:10001\n  Unresponsive Replicas:\n',
  );
  const info = GetAttachInfoResp.fromPartial({ buildInfo: { major: 2, minor: 9, patch: 100 } });
  expect((await dmg({ GetAttachInfo: info }, 'server-version')).out).toBe('DAOS Control Server version 2.9.100\n');
  expect((await dmg({}, 'version')).out).toBe('DAOS Admin Tool version 2.9.100\n');
});

it('says which verbs of DAOS are not there yet', async () => {
  expect(await dmg({}, 'pool', 'exclude', '--ranks', '0', 'p')).toMatchObject({ code: 1, err: expect.stringMatching(/^ERROR: dmg: pool exclude: DER_NOSYS\(-1010\)/) });
});
