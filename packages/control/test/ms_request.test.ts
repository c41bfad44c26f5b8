import { DaosError } from '@daos/common';
import { unaryMethod } from '@daos/proto';
import { SystemQueryReq, SystemQueryResp } from '@daos/proto/mgmt/system';

import {
  CallTimeoutError,
  MsUnreachableError,
  NotLeaderError,
  NotReplicaError,
  RpcStatusError,
  Sentinel,
  backoffMs,
  clientFaults,
  formatDuration,
  invokeMs,
  type MsRequest,
  type RpcTransport,
  type Timing,
} from '../src/index.js';

const METHOD = unaryMethod('/mgmt.MgmtSvc/SystemQuery', SystemQueryReq, SystemQueryResp);

type Answer = SystemQueryResp | Error;

/** A transport that plays a script: what each host answers at its n-th call. Time passes only while sleeping. */
class Play implements RpcTransport, Timing {
  readonly calls: string[] = [];
  now = 0;
  private readonly turns = new Map<string, number>();

  constructor(private readonly script: Readonly<Record<string, readonly Answer[]>>) {}

  call<_Req, Resp>(address: string): Promise<Resp> {
    this.calls.push(address);
    const answers = this.script[address] ?? [new Error(`nobody at ${address}`)];
    const turn = this.turns.get(address) ?? 0;
    this.turns.set(address, turn + 1);
    const answer = answers[Math.min(turn, answers.length - 1)];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as Resp);
  }
  close(): void {
    this.calls.push('close');
  }
  nowMs(): number {
    return this.now;
  }
  random(): number {
    return 0;
  }
  sleep(ms: number): Promise<void> {
    this.now += ms;
    return Promise.resolve();
  }
}

function answer(dataVersion: bigint): SystemQueryResp {
  return SystemQueryResp.fromPartial({ dataVersion });
}

function ask(play: Play, hosts: string[], extra: Partial<MsRequest<SystemQueryReq, SystemQueryResp>> = {}): Promise<SystemQueryResp> {
  const context = { transport: play, hosts, controlPort: 10001, timing: play };
  return invokeMs(context, { name: 'SystemQueryReq', method: METHOD, message: SystemQueryReq.fromPartial({}), ...extra });
}

describe('a request to the management service', () => {
  it('takes the newest of several answers', async () => {
    const play = new Play({ a: [answer(3n)], b: [answer(7n)], c: [new Error('broken')] });
    expect((await ask(play, ['a', 'b', 'c'])).dataVersion).toBe(7n);
  });

  it('follows the hint to the leader, completing its port', async () => {
    const play = new Play({ 'a:10001': [new NotLeaderError('lead', ['a', 'lead'])], 'lead:10001': [answer(1n)] });
    await ask(play, ['a:10001']);
    expect(play.calls).toEqual(['a:10001', 'lead:10001']);
  });

  it('goes from a server without a replica to the replicas, and from there to the leader', async () => {
    const play = new Play({
      'x:10001': [new NotReplicaError(['r1', 'r2'])],
      'r1:10001': [new NotLeaderError('', ['r1', 'r2'])],
      'r2:10001': [new NotLeaderError('', ['r1', 'r2']), answer(1n)],
    });
    await ask(play, ['x:10001']);
    expect(play.calls).toEqual(['x:10001', 'r1:10001', 'r2:10001', 'r1:10001', 'r2:10001']);
  });

  it('waits for a service that is starting, with growing pauses', async () => {
    const starting = new RpcStatusError(2, Sentinel.RAFT_UNAVAILABLE);
    const play = new Play({ a: [starting, starting, starting, new RpcStatusError(2, Sentinel.STEP_UP), answer(1n)] });
    await ask(play, ['a']);
    expect(play.calls).toHaveLength(5);
    expect(play.now).toBe(0 + 250 + 250 + 500);
  });

  it('does not wait when told so', async () => {
    const play = new Play({ a: [new RpcStatusError(2, Sentinel.RAFT_UNAVAILABLE)] });
    await expect(ask(play, ['a'], { failOnUnavailable: true })).rejects.toThrow(Sentinel.RAFT_UNAVAILABLE);
    expect(play.calls).toHaveLength(1);
  });

  it('ends at its deadline with fault 510', async () => {
    const play = new Play({ a: [new RpcStatusError(2, Sentinel.RAFT_UNAVAILABLE)] });
    await expect(ask(play, ['a'])).rejects.toMatchObject({ code: 510, description: 'the *control.SystemQueryReq request timed out after 5m0s' });
    expect(play.now).toBeLessThanOrEqual(300_000);
  });

  it('ends at its number of tries', async () => {
    const play = new Play({ a: [new CallTimeoutError('late')] });
    await expect(ask(play, ['a'], { triesMax: 3 })).rejects.toThrow('max retries exceeded');
    expect(play.calls).toHaveLength(3);
  });

  it('says that nobody could be reached', async () => {
    const play = new Play({ a: [clientFaults.faultRefused('a:10001')] });
    await expect(ask(play, ['a'])).rejects.toBeInstanceOf(MsUnreachableError);
    await expect(ask(play, ['a'])).rejects.toThrow(
      'client: code = 506 description = "the server at a:10001 refused the connection": unable to contact the DAOS Management Service',
    );
  });

  it('goes back to the configured servers when the leader has died', async () => {
    const play = new Play({
      'a:10001': [new NotLeaderError('lead', []), new NotLeaderError('b', [])],
      'lead:10001': [clientFaults.faultRefused('lead:10001')],
      'b:10001': [answer(2n)],
    });
    expect((await ask(play, ['a:10001'])).dataVersion).toBe(2n);
  });

  it('returns other failures at once, and retries those that the request names', async () => {
    await expect(ask(new Play({ a: [new DaosError('NOSPACE')] }), ['a'])).rejects.toMatchObject({ der: 'NOSPACE' });
    await expect(ask(new Play({ a: [new RpcStatusError(12, 'unknown method')] }), ['a'])).rejects.toThrow('Unimplemented');
    const play = new Play({ a: [new DaosError('AGAIN'), new DaosError('GRPVER'), answer(1n)] });
    await ask(play, ['a'], { canRetry: (error) => error instanceof DaosError });
    expect(play.calls).toHaveLength(3);
  });

  it('accepts a failure that is a success, and treats a status in the answer as a failure', async () => {
    const play = new Play({ a: [new DaosError('AGAIN'), new DaosError('NONEXIST')] });
    const found = await ask(play, ['a'], {
      canRetry: (error) => error instanceof DaosError && error.der === 'AGAIN',
      acceptError: (_, attempt) => (attempt > 0 ? answer(9n) : undefined),
    });
    expect(found.dataVersion).toBe(9n);
    const failing = { ...answer(1n), status: -1012 };
    await expect(ask(new Play({ a: [failing] }), ['a'])).rejects.toMatchObject({ der: 'BUSY' });
  });

  it('asks at most five servers at once', async () => {
    const hosts = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const play = new Play(Object.fromEntries(hosts.map((host) => [host, [answer(1n)]])));
    await ask(play, hosts);
    expect(play.calls).toHaveLength(5);
  });
});

it('pauses as prescribed', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 20].map((attempt) => backoffMs(attempt, () => 0))).toEqual([0, 250, 250, 500, 1000, 2000, 4000, 8000, 8000]);
  expect(backoffMs(1, () => 0.999)).toBe(250 + 6 * 500);
});

it('prints durations as DAOS does', () => {
  expect([300_000, 3_600_000, 10_000, 1500, 250].map(formatDuration)).toEqual(['5m0s', '1h0m0s', '10s', '1.5s', '250ms']);
});
