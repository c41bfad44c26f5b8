import { f, type CallResult, type Endpoint, type RpcCaller, type RpcDef } from '@daos/cart';
import { DaosError, Hlc, UUID_NIL, uuidGenerate } from '@daos/common';
import { LeaderSearch, dcRsvcCall, type ServicePeer } from '@daos/pool/dc';
import { defineServiceRpc, type ServiceReply, type ServiceRequest } from '@daos/pool/rpc';

const ECHO = defineServiceRpc({
  name: 'ECHO',
  module: 2,
  version: 7,
  index: 99,
  request: { n: f.u32 },
  reply: { n: f.u32 },
});
type Request = ServiceRequest<{ readonly n: number }>;
type Reply = ServiceReply<{ readonly n: number }>;

/** Answers of the ranks, by a function. */
class FakeCart implements RpcCaller {
  readonly seen: { rank: number; input: Request }[] = [];

  constructor(private readonly answer: (rank: number, input: Request) => Reply | DaosError) {}

  async call<Req, Rep>(to: Endpoint, _rpc: RpcDef<Req, Rep>, input: Req): Promise<CallResult<Rep>> {
    const request = input as Request;
    this.seen.push({ rank: to.rank, input: request });
    const answer = this.answer(to.rank, request);
    if (answer instanceof DaosError) throw answer;
    return { output: answer as Rep, data: new Uint8Array(0) };
  }
}

const status = (der: 'NOTLEADER' | 'NOTREPLICA' | 'NO_PERM' | 'EXCLUDED'): Reply => ({
  status: -DaosError.codeOf(der),
  message: 'why',
  mapVersion: 1,
});
const done = (n: number, rank: number): Reply => ({
  status: 0,
  mapVersion: 3,
  hint: { rank, term: 1 },
  body: { n },
});

function peer(cart: RpcCaller, ranks: number[], findRanks?: () => Promise<number[]>): ServicePeer {
  return { cart, hlc: new Hlc(), pool: uuidGenerate(), search: new LeaderSearch(ranks), findRanks };
}

describe('call of a replicated service', () => {
  it('sends the same operation, with the same client and time, until the leader answers', async () => {
    let tries = 0;
    const cart = new FakeCart((rank, { body }) => {
      tries++;
      if (tries === 1) return new DaosError('UNREACH');
      if (tries === 2) return status('EXCLUDED');
      return rank === 2 ? done(body.n + 1, 2) : { ...status('NOTLEADER'), hint: { rank: 2, term: 1 } };
    });
    const answer = await dcRsvcCall(peer(cart, [1, 2, 3]), ECHO, UUID_NIL, { n: 41 });
    expect(answer).toMatchObject({ body: { n: 42 }, mapVersion: 3 });
    const keys = new Set(cart.seen.map(({ input }) => `${input.clientId} ${input.clientTime}`));
    expect(keys.size).toBe(1);
    expect(cart.seen.length).toBeGreaterThan(2);
  });

  it('gives every clock an identity of its own, since two may give the same time', async () => {
    const cart = new FakeCart((rank, { body }) => done(body.n, rank));
    const [one, two] = [peer(cart, [1]), peer(cart, [1])];
    for (const from of [one, one, two]) await dcRsvcCall(from, ECHO, UUID_NIL, { n: 1 });
    const ids = cart.seen.map(({ input }) => input.clientId);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('throws an error of the service with its message, at once', async () => {
    const cart = new FakeCart(() => status('NO_PERM'));
    await expect(dcRsvcCall(peer(cart, [1]), ECHO, UUID_NIL, { n: 1 })).rejects.toMatchObject({
      der: 'NO_PERM',
      detail: 'why',
    });
    expect(cart.seen).toHaveLength(1);
  });

  it('asks for the ranks again when none of the known ones holds a replica', async () => {
    const cart = new FakeCart((rank, { body }) => (rank === 7 ? done(body.n, 7) : status('NOTREPLICA')));
    let asked = 0;
    const answer = await dcRsvcCall(
      peer(cart, [1, 2], async () => {
        asked++;
        return [7];
      }),
      ECHO,
      UUID_NIL,
      { n: 5 },
    );
    expect(answer.body).toEqual({ n: 5 });
    expect(asked).toBe(1);
  });

  it('gives up at its deadline with the last error', async () => {
    const cart = new FakeCart(() => new DaosError('UNREACH', 'rank 1 is down'));
    const started = performance.now();
    await expect(
      dcRsvcCall(peer(cart, [1]), ECHO, UUID_NIL, { n: 1 }, { timeoutMs: 300 }),
    ).rejects.toMatchObject({ der: 'UNREACH' });
    expect(performance.now() - started).toBeLessThan(350);
    expect(cart.seen.length).toBeGreaterThan(2);
  });

  it('stops when it is aborted', async () => {
    const cart = new FakeCart(() => new DaosError('UNREACH'));
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    await expect(
      dcRsvcCall(peer(cart, [1]), ECHO, UUID_NIL, { n: 1 }, { signal: abort.signal }),
    ).rejects.toMatchObject({ der: 'CANCELED' });
  });
});
