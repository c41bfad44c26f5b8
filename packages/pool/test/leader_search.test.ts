import { seededRandom } from '@daos/gurt';
import { DaosError } from '@daos/common';
import { LeaderSearch } from '@daos/pool/dc';

const NOTLEADER = -DaosError.codeOf('NOTLEADER');
const NOTREPLICA = -DaosError.codeOf('NOTREPLICA');
const search = (...ranks: number[]): LeaderSearch => new LeaderSearch(ranks, seededRandom(7));

describe('leader search', () => {
  it('asks every rank in turn while no leader is known', () => {
    const s = search(3, 1, 2, 1);
    const asked = Array.from({ length: 3 }, () => s.choose());
    expect([...asked].sort()).toEqual([1, 2, 3]);
    expect(s.choose()).toBe(asked[0]);
  });

  it('gives DER_NOTREPLICA when no rank is left', () => {
    const s = search(1);
    expect(s.complete(1, { status: NOTREPLICA })).toBe('rechoose');
    expect(() => s.choose()).toThrow(expect.objectContaining({ der: 'NOTREPLICA' }));
    expect(() => search().choose()).toThrow(expect.objectContaining({ der: 'NOTREPLICA' }));
  });

  it('stays with the leader that a reply named', () => {
    const s = search(1, 2, 3);
    expect(s.complete(2, { status: 0, hint: { rank: 2, term: 4 } })).toBe('proceed');
    expect([s.choose(), s.choose()]).toEqual([2, 2]);
  });

  it('follows the hint of a replica that does not lead, to a rank it did not know too', () => {
    const s = search(1, 2);
    expect(s.complete(1, { status: NOTLEADER, hint: { rank: 9, term: 2 } })).toBe('rechoose');
    expect(s.choose()).toBe(9);
  });

  it('ignores a hint of an older term, and one in which a leader names another', () => {
    const s = search(1, 2, 3);
    s.complete(2, { status: 0, hint: { rank: 2, term: 5 } });
    s.complete(3, { status: NOTLEADER, hint: { rank: 3, term: 4 } });
    expect(s.choose()).toBe(2);
    s.complete(2, { status: 0, hint: { rank: 1, term: 6 } });
    expect(s.choose()).toBe(2);
  });

  it('leaves a leader that answers NOTLEADER or not at all, and takes it back when it leads again in the same term', () => {
    const s = search(1, 2, 3);
    s.complete(2, { status: 0, hint: { rank: 2, term: 5 } });
    expect(s.complete(2, { status: NOTLEADER })).toBe('rechoose');
    expect(s.choose()).not.toBe(2);
    s.complete(3, { status: NOTLEADER, hint: { rank: 2, term: 5 } });
    expect(s.choose()).not.toBe(2);
    s.complete(2, { status: 0, hint: { rank: 2, term: 5 } });
    expect(s.choose()).toBe(2);
    s.complete(2, { transport: new DaosError('UNREACH') });
    expect(s.choose()).not.toBe(2);
  });

  it('forgets ranks outside the group, and the leader among them', () => {
    const s = search(1, 2);
    s.complete(2, { status: 0, hint: { rank: 2, term: 1 } });
    expect(s.complete(2, { transport: new DaosError('OOG') })).toBe('rechoose');
    expect(s.candidates).toEqual([1]);
    expect(s.choose()).toBe(1);
  });

  it('gives up on errors of the transport that another rank would give too', () => {
    expect(search(1).complete(1, { transport: new DaosError('UNREG') })).toBe('proceed');
    expect(search(1).complete(1, { transport: new DaosError('INVAL') })).toBe('proceed');
    expect(search(1).complete(1, { transport: new DaosError('TIMEDOUT') })).toBe('rechoose');
  });
});
