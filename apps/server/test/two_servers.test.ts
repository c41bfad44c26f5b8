import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  NotReplicaError,
  getAttachInfo,
  poolCreate,
  poolDestroy,
  systemQuery,
  systemStart,
  systemStop,
  type ControlOptions,
} from '@daos/control';
import { unaryMethod } from '@daos/proto';
import { SystemQueryReq, SystemQueryResp } from '@daos/proto/mgmt/system';

import { TestSystem } from './server_harness.js';

const GIB = 1024n ** 3n;
const QUERY = unaryMethod('/mgmt.MgmtSvc/SystemQuery', SystemQueryReq, SystemQueryResp);
const OPTIONS: ControlOptions = { timeoutMs: 20_000 };

describe('a server without the management service', () => {
  let leader: TestSystem;
  let other: TestSystem;

  beforeAll(async () => {
    leader = await TestSystem.create();
    other = await TestSystem.create();
    other.leaderPort = leader.port;
    await leader.start({ autoFormat: true });
    await leader.waitJoined(1);
    await other.start({ autoFormat: true });
    await leader.waitJoined(2);
    await other.waitFor(() => readFileSync(other.logFile, 'utf8').includes('all 1 engines'));
  });
  afterAll(async () => {
    await other.remove();
    await leader.remove();
  });

  const states = async () =>
    (await systemQuery(leader.client, {}, OPTIONS)).members.map((
      member,
    ) => [member.rank, member.addr, member.state]);

  it('joins its engine through the leader and sends callers there', async () => {
    expect(await states()).toEqual([
      [0, `127.0.0.1:${leader.port}`, 'joined'],
      [1, `127.0.0.1:${other.port}`, 'joined'],
    ]);
    const asked = other.client.transport.call(
      `127.0.0.1:${other.port}`,
      QUERY,
      SystemQueryReq.fromPartial({ sys: other.client.sys }),
      { timeoutMs: 5000 },
    );
    await expect(asked).rejects.toBeInstanceOf(NotReplicaError);
    expect((await systemQuery(other.client, {}, OPTIONS)).members).toHaveLength(2);
    const info = await getAttachInfo(other.client, { allRanks: true }, OPTIONS);
    expect([info.rankUris.map((entry) => entry.rank), info.msRanks]).toEqual([[0, 1], [0]]);
  });

  it('tells the leader what room its engine has', async () => {
    const params = { user: 'u@', userGroup: 'g@', ranks: [0, 1] };
    const label = (text: string) => [{ number: 1, value: { $case: 'strval' as const, value: text } }];
    const create = (text: string, nvme: bigint) =>
      poolCreate(leader.client, { ...params, properties: label(text), tierBytes: [GIB / 8n, nvme] }, OPTIONS);
    await create('tank', 3n * GIB);
    await expect(create('lake', 2n * GIB)).rejects.toMatchObject({ der: 'NOSPACE' });
    await poolDestroy(leader.client, 'tank', {}, OPTIONS);
  });

  it('stops and starts its ranks for the leader', async () => {
    const { results } = await systemStop(leader.client, { ranks: '1', force: true }, OPTIONS);
    expect(results).toMatchObject([
      { rank: 1, errored: false, state: 'stopped', addr: `127.0.0.1:${other.port}` },
    ]);
    expect((await states())[1]?.[2]).toBe('stopped');
    await systemStart(leader.client, { ranks: '1' }, OPTIONS);
    expect((await states())[1]?.[2]).toBe('joined');
  });

  it('reports an engine that died; unreachable, its ranks are reported too', async () => {
    const pid = () =>
      Number(/"pid":(\d+)/.exec(readFileSync(join(other.mount(), 'engine.pid'), 'utf8'))?.[1]);
    process.kill(pid(), 'SIGKILL');
    await leader.waitFor(() => readFileSync(leader.logFile, 'utf8').includes('rank 1: Joined->Errored'));
    await leader.waitJoined(2);
    await other.stop();
    const { results } = await systemStop(leader.client, { ranks: '1', force: true }, OPTIONS);
    expect(results).toMatchObject([{ rank: 1, errored: true, state: 'unresponsive' }]);
  });
});
