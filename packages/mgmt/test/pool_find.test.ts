import type { CallOptions, CallResult, Endpoint, RpcCaller, RpcDef } from '@daos/cart';
import { DaosError, uuidGenerate } from '@daos/common';

import { dcMgmtPoolFind } from '../src/dc/index.js';

/** Answers by rank; counts who was asked. */
class FakeCaller implements RpcCaller {
  readonly asked: number[] = [];
  constructor(private readonly answer: (rank: number, nth: number) => unknown) {}

  async call<Req, Rep>(
    to: Endpoint,
    _rpc: RpcDef<Req, Rep>,
    _input: Req,
    _options?: CallOptions,
  ): Promise<CallResult<Rep>> {
    this.asked.push(to.rank);
    const output = this.answer(to.rank, this.asked.length);
    if (output instanceof Error) throw output;
    return Promise.resolve({ output: output as Rep, data: new Uint8Array(0) });
  }
}

const pool = { uuid: uuidGenerate(), svcRanks: [0] };

describe('dcMgmtPoolFind', () => {
  it('passes over engines that do not answer', async () => {
    const caller = new FakeCaller((rank) => (rank === 2 ? pool : new DaosError('UNREACH')));
    await expect(dcMgmtPoolFind(caller, [0, 1, 2], 'tank')).resolves.toMatchObject({ uuid: pool.uuid });
    expect(new Set(caller.asked).size).toBe(caller.asked.length);
  });

  it('goes round again until the deadline, then tells the last failure', async () => {
    const late = new FakeCaller((_, nth) => (nth > 5 ? pool : new DaosError('TIMEDOUT')));
    await expect(dcMgmtPoolFind(late, [0, 1], 'tank')).resolves.toMatchObject({ uuid: pool.uuid });
    const never = new FakeCaller(() => new DaosError('UNREACH', 'rank is down'));
    const started = Date.now();
    await expect(dcMgmtPoolFind(never, [0], 'tank', { timeoutMs: 200 })).rejects.toThrow('rank is down');
    expect(Date.now() - started).toBeLessThan(1000);
  });

  it('ends at once for an answer that is final, an aborted signal and a system without ranks', async () => {
    const missing = new FakeCaller(() => new DaosError('NONEXIST'));
    await expect(dcMgmtPoolFind(missing, [0, 1], 'tank')).rejects.toMatchObject({ der: 'NONEXIST' });
    expect(missing.asked).toHaveLength(1);
    const abort = new AbortController();
    abort.abort();
    const canceled = new FakeCaller(() => new DaosError('CANCELED'));
    await expect(dcMgmtPoolFind(canceled, [0], 'tank', { signal: abort.signal })).rejects.toMatchObject({
      der: 'CANCELED',
    });
    await expect(dcMgmtPoolFind(canceled, [], 'tank')).rejects.toMatchObject({ der: 'UNREACH' });
  });
});
