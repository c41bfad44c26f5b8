import { readFileSync } from 'node:fs';

import { Acl, ContCapability, ContOpenFlag, DaosError, PoolCapability, PoolConnectFlag } from '@daos/common';

import { canGetProperties, canOpenContainer, canSetProperties } from '../src/access.js';
import { ADMIN_CONT_CAPABILITIES, dsSecContCanDelete, dsSecContCapabilities, dsSecPoolCapabilities } from '../src/ds/index.js';

interface Sample {
  aces: string[];
  owner: string;
  ownerGroup: string;
  user: string;
  groups: string[];
  poolRc: number;
  contRc: number;
  poolCapas?: { ro: number; rw: number };
  contCapas?: { ro: number; rw: number; rwExclusive: number; roEvictAll: number };
}

const SAMPLES = JSON.parse(readFileSync(new URL('../../test/data/permission_samples.json', import.meta.url), 'utf8')) as Sample[];

function who(user: string, groups: readonly string[]) {
  return { machineName: 'host1', user, group: groups.at(-1) ?? '', groups: groups.slice(0, -1), securityContext: '' };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DaosError) return error.der;
    throw error;
  }
  return 'none';
}

describe('capabilities from access control lists', () => {
  it.each(SAMPLES.map((sample, i) => [i, sample] as const))('sample %i', (_, sample) => {
    const acl = sample.aces.length > 0 ? Acl.parse(sample.aces) : Acl.empty;
    const ownership = { user: sample.owner, group: sample.ownerGroup };
    const user = who(sample.user, sample.groups);
    if (sample.poolCapas) {
      expect(dsSecPoolCapabilities(acl, ownership, user, PoolConnectFlag.RO)).toBe(sample.poolCapas.ro);
      expect(dsSecPoolCapabilities(acl, ownership, user, PoolConnectFlag.RW)).toBe(sample.poolCapas.rw);
    }
    if (sample.contCapas) {
      expect(dsSecContCapabilities(acl, ownership, user, ContOpenFlag.RO)).toBe(sample.contCapas.ro);
      expect(dsSecContCapabilities(acl, ownership, user, ContOpenFlag.RW)).toBe(sample.contCapas.rw);
    }
  });

  it('refuses flags that make no sense', () => {
    const user = who('u@', ['g@']);
    const owner = { user: 'u@', group: 'g@' };
    for (const flags of [0, 3, 5, 7, 8]) expect(codeOf(() => dsSecPoolCapabilities(Acl.empty, owner, user, flags))).toBe('INVAL');
    const { RO, RW, EX, EVICT, EVICT_ALL } = ContOpenFlag;
    for (const flags of [0, RO | RW, RW | EX, EX | EVICT, RW | EVICT_ALL, EX | EVICT | EVICT_ALL, RO | 0x80]) {
      expect(codeOf(() => dsSecContCapabilities(Acl.empty, owner, user, flags))).toBe('INVAL');
    }
  });

  it('gives nothing without a list, but the owner of a container its list', () => {
    const owner = { user: 'u@', group: 'g@' };
    expect(dsSecPoolCapabilities(undefined, owner, who('u@', ['g@']), PoolConnectFlag.RO)).toBe(0);
    const { GET_ACL, SET_ACL, OPEN_EX } = ContCapability;
    const asOwner = (flags: number): number => dsSecContCapabilities(Acl.empty, owner, who('u@', ['g@']), flags);
    expect(asOwner(ContOpenFlag.RO)).toBe(GET_ACL);
    expect(asOwner(ContOpenFlag.RW)).toBe(GET_ACL | SET_ACL);
    expect(asOwner(ContOpenFlag.EX)).toBe(GET_ACL | SET_ACL | OPEN_EX);
  });

  it('lets a container be destroyed by its own list only through a handle that may write', () => {
    const owner = { user: 'u@', group: 'g@' };
    const full = Acl.parse(['A::OWNER@:rwdtTaAo', 'A::other@:rd', 'A::third@:rwd']);
    const canDelete = (user: string, flags: number): boolean => dsSecContCanDelete(full, owner, who(user, ['x@']), flags);
    expect(canDelete('u@', PoolConnectFlag.RW)).toBe(true);
    expect(canDelete('u@', PoolConnectFlag.RO)).toBe(false);
    expect(canDelete('third@', PoolConnectFlag.EX)).toBe(true);
    expect(canDelete('other@', PoolConnectFlag.RW)).toBe(false);
    expect(canDelete('stranger@', PoolConnectFlag.RW)).toBe(false);
    const ownerReads = Acl.parse(['A::OWNER@:rd']);
    expect(dsSecContCanDelete(ownerReads, owner, who('u@', ['g@']), PoolConnectFlag.RW)).toBe(true);
  });
});

describe('what capabilities allow', () => {
  it('opens containers by mode', () => {
    const { READ_DATA, WRITE_DATA, OPEN_EX } = ContCapability;
    expect(canOpenContainer(READ_DATA, ContOpenFlag.RO)).toBe(true);
    expect(canOpenContainer(WRITE_DATA, ContOpenFlag.RO)).toBe(false);
    expect(canOpenContainer(READ_DATA, ContOpenFlag.RW)).toBe(false);
    expect(canOpenContainer(READ_DATA | WRITE_DATA, ContOpenFlag.RW)).toBe(true);
    expect(canOpenContainer(READ_DATA | WRITE_DATA, ContOpenFlag.EX)).toBe(false);
    expect(canOpenContainer(READ_DATA | WRITE_DATA | OPEN_EX, ContOpenFlag.EX)).toBe(true);
    expect(canOpenContainer(ADMIN_CONT_CAPABILITIES, ContOpenFlag.EX | ContOpenFlag.EVICT_ALL)).toBe(true);
  });

  it('tells properties apart', () => {
    const { GET_PROP, GET_ACL, SET_PROP, SET_ACL, SET_OWNER } = ContCapability;
    const acl = { acl: true, ownership: false, others: false };
    const ownership = { acl: false, ownership: true, others: false };
    const others = { acl: false, ownership: false, others: true };
    expect([GET_PROP, GET_ACL].map((bits) => [acl, ownership, others].map((asked) => canGetProperties(bits, asked)))).toEqual([
      [false, true, true],
      [true, true, false],
    ]);
    expect([SET_PROP, SET_ACL, SET_OWNER].map((bits) => [acl, ownership, others].map((asked) => canSetProperties(bits, asked)))).toEqual([
      [false, false, true],
      [true, false, false],
      [false, true, false],
    ]);
    expect(PoolCapability.READ).toBe(1);
  });
});
