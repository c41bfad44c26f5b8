import {
  ACL_CONTAINER_DEFAULT,
  ACL_POOL_DEFAULT,
  Acl,
  aceFormat,
  aceParse,
  aceVerbose,
  aclContainerPermissions,
  aclPermissions,
  aclPrincipalParse,
  contCapabilities,
  contOpenFlagsValid,
  DaosError,
  poolCapabilities,
  poolConnectFlagsValid,
  PrincipalType,
  principalIsValid,
} from '../src/index.js';
import { fixture } from './fixture.js';

interface AclCase {
  fn: string;
  text?: string;
  fromStrRc?: number;
  bytesHex?: string;
  toStr?: string;
  verboseRc?: number;
  verbose?: string;
  accessTypes?: number;
  principalType?: number;
  flags?: number;
  allow?: number;
  audit?: number;
  alarm?: number;
  aces?: string[];
  fromStrsRc?: number;
  toStrs?: string[];
  owner?: string;
  ownerGroup?: string;
  user?: string;
  groups?: string[];
  poolPerms?: number;
  contPerms?: number;
  isOwner?: boolean;
  poolCapas?: { ro: number; rw: number };
  contCapas?: { ro: number; rw: number; rwExclusive: number; roEvictAll: number };
  valid?: boolean;
  kind?: string;
}

const cases = (fn: string): AclCase[] => fixture<AclCase>('acl').filter((c) => c.fn === fn);

function statusOf(action: () => unknown): number {
  try {
    action();
    return 0;
  } catch (error) {
    if (error instanceof DaosError) return error.status;
    throw error;
  }
}

describe('access control entries', () => {
  it('are read from text, written back in canonical order, and refused as recorded', () => {
    for (const c of cases('ace')) {
      const text = c.text ?? '';
      expect([text, statusOf(() => aceParse(text))]).toEqual([text, c.fromStrRc]);
      if (c.fromStrRc !== 0) continue;
      const entry = aceParse(text);
      expect(entry).toMatchObject({
        accessTypes: c.accessTypes,
        principalType: c.principalType,
        flags: c.flags,
        allow: c.allow,
        audit: c.audit,
        alarm: c.alarm,
      });
      expect(aceFormat(entry)).toBe(c.toStr);
      expect(Acl.of([entry]).encode().subarray(8).toString('hex')).toBe(c.bytesHex);
      expect([text, statusOf(() => aceVerbose(text))]).toEqual([text, c.verboseRc]);
      if (c.verboseRc === 0) expect(aceVerbose(text)).toBe(c.verbose);
    }
  });

  it('name the entry and the fault when they are refused', () => {
    expect(() => aceParse('A::OWNER@:x')).toThrow(/"A::OWNER@:x": unknown permission "x"/);
    expect(() => aceParse(`A::${'u'.repeat(256)}@:r`)).toThrow('DER_INVAL');
    expect(() => aceFormat({ ...aceParse('AU:S:user@:r'), audit: 2 })).toThrow('DER_INVAL');
  });

  it('know valid principals', () => {
    for (const c of cases('principal')) expect([c.text, principalIsValid(c.text ?? '')]).toEqual([c.text, c.valid]);
    expect(aclPrincipalParse('u:bob@')).toEqual({ principalType: PrincipalType.USER, principal: 'bob@' });
    expect(aclPrincipalParse('g:team@')).toEqual({ principalType: PrincipalType.GROUP, principal: 'team@' });
    expect(aclPrincipalParse('GROUP@').principalType).toBe(PrincipalType.OWNER_GROUP);
    expect(() => aclPrincipalParse('bob@')).toThrow('DER_INVAL');
  });
});

describe('access control lists', () => {
  it('are ordered, unique per principal, and stored as recorded', () => {
    for (const c of cases('acl')) {
      const texts = c.aces ?? [];
      expect(statusOf(() => Acl.parse(texts))).toBe(c.fromStrsRc);
      if (c.fromStrsRc !== 0) continue;
      const acl = Acl.parse(texts);
      expect(acl.encode().toString('hex')).toBe(c.bytesHex);
      expect(acl.format()).toEqual(c.toStrs);
      expect(Acl.decode(acl.encode()).entries).toEqual(acl.entries);
    }
    expect(() => Acl.parse([])).toThrow('DER_INVAL');
  });

  it('have the recorded defaults', () => {
    const recorded = cases('default').find((c) => c.kind === 'pool');
    expect(ACL_POOL_DEFAULT.encode().toString('hex')).toBe(recorded?.bytesHex);
    expect(ACL_CONTAINER_DEFAULT.format()).toEqual(['A::OWNER@:rwdtTaAo', 'A:G:GROUP@:rwtT']);
  });

  it('take additions and removals', () => {
    const acl = ACL_POOL_DEFAULT.with([aceParse('A::bob@:r'), aceParse('A::OWNER@:rwc')]);
    expect(acl.format()).toEqual(['A::OWNER@:rwc', 'A::bob@:r', 'A:G:GROUP@:rw']);
    expect(acl.without(PrincipalType.USER, 'bob@').format()).toEqual(['A::OWNER@:rwc', 'A:G:GROUP@:rw']);
    expect(() => acl.without(PrincipalType.GROUP, 'bob@')).toThrow('DER_NONEXIST');
  });

  it('refuse damaged stored forms', () => {
    const bytes = Acl.parse(['A::OWNER@:rw', 'A::user1@:r']).encode();
    for (let cut = 0; cut < bytes.length; cut++) expect(() => Acl.decode(bytes.subarray(0, cut))).toThrow('DER_INVAL');
    const flip = (at: number, value: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[at] = value;
      return copy;
    };
    for (const [at, value] of [[0, 2], [8, 0], [8, 9], [9, 7], [17, 8], [42, 16]] as const) {
      expect([at, statusOf(() => Acl.decode(flip(at, value)))]).toEqual([at, -1003]);
    }
  });
});

describe('evaluation', () => {
  it('gives the recorded permissions and capabilities', () => {
    for (const c of cases('permissions')) {
      const acl = Acl.parse(c.aces ?? []);
      const owner = { user: c.owner ?? '', group: c.ownerGroup ?? '' };
      const requester = { user: c.user ?? '', groups: c.groups ?? [] };
      const pool = aclPermissions(acl, owner, requester);
      const cont = aclContainerPermissions(acl, owner, requester);
      const isOwner = c.isOwner ?? false;
      expect([pool, cont, requester.user === owner.user]).toEqual([c.poolPerms, c.contPerms, isOwner]);
      expect({ ro: poolCapabilities(pool, 1), rw: poolCapabilities(pool, 2) }).toEqual(c.poolCapas);
      expect({
        ro: contCapabilities(cont, isOwner, 1),
        rw: contCapabilities(cont, isOwner, 2),
        rwExclusive: contCapabilities(cont, isOwner, 6),
        roEvictAll: contCapabilities(cont, isOwner, 0x41),
      }).toEqual(c.contCapas);
    }
    expect(aclPermissions(undefined, { user: 'a@', group: 'b@' }, { user: 'a@', groups: ['b@'] })).toBe(0);
  });

  it('accepts exactly one mode and fitting modifiers', () => {
    expect([1, 2, 4].every(poolConnectFlagsValid)).toBe(true);
    expect([0, 3, 8, 9].some(poolConnectFlagsValid)).toBe(false);
    expect([1, 2, 4, 0x21, 0x44, 0x09].every(contOpenFlagsValid)).toBe(true);
    expect([0, 3, 0x24, 0x41, 0x64, 0x80].some(contOpenFlagsValid)).toBe(false);
  });
});
