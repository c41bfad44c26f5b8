import { Fault } from '@daos/control';
import { JoinReq } from '@daos/proto/mgmt/svc';

import { countFaultDomains, encodeFaultDomains } from '../src/system/fault_domain_tree.js';
import { joinAddress, planJoin } from '../src/system/join.js';
import { RANK_NONE, type Member } from '../src/system/member.js';
import { selectMembers, withoutAdminExcluded } from '../src/system/selection.js';
import { SystemState } from '../src/system/system_state.js';

const UUID = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

function member(rank: number, fields: Partial<Member> = {}): Member {
  return {
    rank,
    uuid: UUID(rank),
    incarnation: '1',
    address: `10.0.0.${rank}:10001`,
    fabricUri: `ofi+tcp://10.0.0.${rank}:31416`,
    fabricContexts: 4,
    state: 'Joined',
    info: '',
    faultDomain: `/h${rank}`,
    lastUpdate: '',
    ...fields,
  };
}

function stateOf(...members: Member[]): SystemState {
  const state = new SystemState();
  for (const one of members) state.apply({ op: 1, member: one });
  return state;
}

function request(rank: number, fields: Partial<JoinReq> = {}): JoinReq {
  return JoinReq.fromPartial({
    uuid: UUID(rank),
    rank,
    uri: `ofi+tcp://10.0.0.${rank}:31416`,
    nctxs: 4,
    addr: `10.0.0.${rank}:10001`,
    srvFaultDomain: `/h${rank}`,
    incarnation: 9n,
    ...fields,
  });
}

function join(state: SystemState, req: JoinReq, first = false) {
  return planJoin(state, req, req.addr, first);
}

describe('joining the system', () => {
  it('gives rank 0 to engine 0 of the first server, and the next rank to others', () => {
    const state = new SystemState();
    const fresh = { rank: RANK_NONE };
    expect(join(state, request(1, fresh)).rank).toBe(1);
    expect(join(state, request(1, fresh), true).rank).toBe(0);
    state.apply(join(state, request(1, fresh), true).change);
    expect(join(state, request(2, fresh), true)).toMatchObject({ rank: 1, isNew: true });
  });

  it('takes a member back with new incarnation and URI, whatever state it was in', () => {
    const state = stateOf(member(0), member(1, { state: 'Excluded' }));
    const plan = join(state, request(1, { uri: 'ofi+tcp://10.0.0.1:40000' }));
    expect(plan).toMatchObject({ rank: 1, isNew: false });
    state.apply(plan.change);
    expect(state.memberByRank(1)).toMatchObject({
      state: 'Joined',
      incarnation: '9',
      fabricUri: 'ofi+tcp://10.0.0.1:40000',
    });
    expect(state.mapVersion).toBe(3);
  });

  it('refuses what contradicts the records', () => {
    const state = stateOf(member(0), member(1), member(2, { state: 'AdminExcluded' }));
    expect(() => join(state, request(1, { uuid: UUID(7) }))).toThrow(/belongs to UUID/);
    expect(() => join(state, request(1, { rank: 7 }))).toThrow(/has rank 1/);
    expect(() => join(state, request(1, { addr: '10.9.9.9:10001' }))).toThrow(/cannot join from/);
    expect(() => join(state, request(2))).toThrow(/administratively excluded/);
    expect(() => join(state, request(3, { uuid: 'x' }))).toThrow(/INVAL/);
    expect(() => join(state, request(3, { srvFaultDomain: 'x' }))).toThrow(Fault);
    expect(() => join(state, request(3, { rank: RANK_NONE, srvFaultDomain: '/r/h' }))).toThrow(/code = 401/);
    expect(() => join(state, request(1, { uuid: UUID(9), rank: RANK_NONE }))).toThrow(/code = 404/);
  });

  it('lets the only member change its depth', () => {
    const state = stateOf(member(0));
    expect(join(state, request(0, { srvFaultDomain: '/r/h' })).rank).toBe(0);
  });

  it('refuses another fabric provider', () => {
    const state = stateOf(member(0));
    state.apply({ op: 8, attributes: { 'mgmt.fabric_providers': 'ofi+tcp' } });
    expect(() => join(state, request(1, { rank: RANK_NONE, uri: 'ucx+tcp://1.1.1.1:1' }))).toThrow(
      /provider "ucx\+tcp"/,
    );
  });

  it('replaces a member that lost its storage', () => {
    const state = stateOf(member(0), member(1));
    const plan = join(state, request(1, { uuid: UUID(9), rank: RANK_NONE, replace: true }));
    expect(plan).toMatchObject({ rank: 1, isNew: false });
    expect(() => join(state, request(5, { rank: RANK_NONE, replace: true }))).toThrow(/nothing to replace/);
  });

  it('puts the caller in place of a wildcard address', () => {
    expect(joinAddress('0.0.0.0:10001', '10.1.2.3:5555')).toBe('10.1.2.3:10001');
    expect(joinAddress('0.0.0.0:10001', '[::ffff:10.1.2.3]:5555')).toBe('10.1.2.3:10001');
    expect(joinAddress('10.0.0.1:1', '10.1.2.3:5555')).toBe('10.0.0.1:1');
    expect(() => joinAddress('nonsense', '1.1.1.1:1')).toThrow(/INVAL/);
    expect(() => joinAddress('0.0.0.0:1', '')).toThrow(/INVAL/);
  });
});

describe('fault domain tree', () => {
  it('encodes level, id and children breadth first, ranks last', () => {
    const members = [member(0, { faultDomain: '/h0' }), member(1, { faultDomain: '/h1' })];
    expect(encodeFaultDomains(members, [0, 1])).toEqual([0, 2, 0, 2, 1, 1, 1, 1, 3, 1, 0, 1]);
    expect(encodeFaultDomains(members, [1])).toEqual([0, 2, 0, 1, 1, 3, 1, 1]);
    expect(() => encodeFaultDomains(members, [2])).toThrow(/INVAL/);
  });

  it('marks a tree with a level above the hosts', () => {
    const members = [
      member(0, { faultDomain: '/r0/h0' }),
      member(1, { faultDomain: '/r0/h0' }),
      member(2, { faultDomain: '/r1/h1' }),
    ];
    expect(encodeFaultDomains(members, [0, 1, 2])).toEqual([
      1,
      3,
      0,
      2,
      2,
      1,
      1,
      2,
      5,
      1,
      1,
      2,
      2,
      1,
      6,
      1,
      0,
      1,
      2,
    ]);
    expect(countFaultDomains(members, [0, 1, 2])).toBe(2);
  });
});

describe('selection of members', () => {
  const members = [member(0), member(1), member(2, { state: 'AdminExcluded' })];
  const ranksOf = (selection: { members: readonly Member[] }) => selection.members.map((one) => one.rank);

  it('goes by ranks or by hosts, and names what is absent', () => {
    expect(ranksOf(selectMembers(members, '', '', 10001))).toEqual([0, 1, 2]);
    const byRank = selectMembers(members, '1,7-8', '', 10001);
    expect([ranksOf(byRank), byRank.absentRanks.toString()]).toEqual([[1], '7-8']);
    const byHost = selectMembers(members, '', '10.0.0.[1,9]', 10001);
    expect([ranksOf(byHost), byHost.absentHosts]).toEqual([[1], '10.0.0.9']);
    expect(() => selectMembers(members, '1', 'h', 10001)).toThrow(/INVAL/);
  });

  it('leaves administratively excluded ranks out unless they are asked for', () => {
    const strip = (ranks: string, ignore: boolean) =>
      ranksOf(withoutAdminExcluded(selectMembers(members, ranks, '', 10001), ignore));
    expect(strip('', false)).toEqual([0, 1]);
    expect(strip('0-1', false)).toEqual([0, 1]);
    expect(() => strip('0-2', false)).toThrow(/code = 623/);
    expect(strip('0-2', true)).toEqual([0, 1]);
    expect(() => strip('2', true)).toThrow(/INVAL/);
  });
});
