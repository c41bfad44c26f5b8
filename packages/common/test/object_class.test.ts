import {
  DaosError,
  ObjectType,
  generateOid,
  objectClassAllowedFailures,
  objectClassById,
  objectClassByName,
  objectClassFit,
  objectClassIsValid,
  objectClassList,
  objectClassName,
  objectClassNames,
  objectIdCheckRedundancy,
  objectIdClass,
  objectIdClassId,
  objectIdEncode,
  objectIdIsNil,
  objectIdToString,
  objectIdType,
} from '../src/index.js';
import { fixture } from './fixture.js';

interface ClassCase {
  name?: string;
  id?: number;
  redun?: number;
  kind?: string;
  groups?: number;
  groupSize?: number;
  allowedFailures?: number;
  k?: number;
  p?: number;
  oidHiForUserHi7?: string;
  lookupId?: number;
  valid?: boolean;
  id2name?: string;
  lookupName?: string;
}

interface OidCase {
  domains: number;
  targets: number;
  rf: number;
  type: number;
  class: string;
  hints: number;
  userHi: string;
  userLo: string;
  rc: number;
  redun?: number;
  groups?: number;
  oidHi?: string;
  oidLo?: string;
}

describe('object classes', () => {
  it('has the registered classes with their attributes', () => {
    for (const c of fixture<ClassCase>('object-classes').filter((row) => row.name !== undefined)) {
      const found = objectClassByName(c.name ?? '');
      expect(found).toMatchObject({
        id: c.id,
        name: c.id2name,
        redundancy: c.redun,
        kind: c.kind,
        groupCount: c.groups,
        groupSize: c.groupSize,
        allowedFailures: c.allowedFailures,
        dataCells: c.k ?? 0,
        parityCells: c.p ?? 0,
      });
      const id = found?.id ?? 0;
      const oid = objectIdEncode({ hi: 7n, lo: 0n }, 0, Math.trunc(id / 2 ** 24), id % 2 ** 24);
      expect(String(oid.hi)).toBe(c.oidHiForUserHi7);
      expect(objectIdClass(oid)).toBe(found);
    }
  });

  it('finds ids with any group count and refuses unknown ones', () => {
    for (const c of fixture<ClassCase>('object-classes').filter((row) => row.lookupId !== undefined)) {
      expect(objectClassIsValid(c.lookupId ?? 0)).toBe(c.valid);
      expect(objectClassName(c.lookupId ?? 0)).toBe(c.id2name);
    }
    expect(objectClassById(0)).toBeUndefined();
    expect(objectClassById(5 * 2 ** 24 + 1)).toBeUndefined();
    expect(objectClassById(8 * 2 ** 24)).toBeUndefined();
    expect(objectClassIsValid(8 * 2 ** 24)).toBe(true);
  });

  it('finds names only exactly as registered', () => {
    for (const c of fixture<ClassCase>('object-classes').filter((row) => row.lookupName !== undefined)) {
      expect(objectClassByName(c.lookupName ?? '')?.id ?? 0).toBe(c.id);
    }
  });
});

describe('class attributes', () => {
  it('say how many failures a class survives, or DER_INVAL', () => {
    const allowed = (name: string): number => objectClassAllowedFailures(objectClassByName(name)?.id ?? 0);
    expect(['S1', 'SX', 'RP_3G1', 'EC_8P2GX', 'RP_XSF'].map(allowed)).toEqual([0, 0, 2, 2, 65535]);
    expect(() => allowed('RP_12G1')).toThrow('DER_INVAL');
  });

  it('list every registered name, each followed by the separator', () => {
    const names = objectClassNames().split(', ');
    expect(names.at(-1)).toBe('');
    expect(names.slice(0, -1)).toEqual(objectClassList().map(({ name }) => name));
    expect(names).toContain('EC_16P3GX');
    expect(names).not.toContain('EC_2P1G6');
  });

  it('refuse an object that survives fewer failures than its container demands', () => {
    const oid = objectIdEncode({ hi: 1n, lo: 2n }, 0, 8, 1);
    expect(() => objectIdCheckRedundancy(oid, 1)).not.toThrow();
    expect(() => objectIdCheckRedundancy(oid, 2)).toThrow(/DER_INVAL.*RP_2G1 survives 1 failures.*demands 2/);
    expect(() => objectIdCheckRedundancy({ hi: 0n, lo: 1n }, 0)).toThrow('DER_INVAL');
  });

  it('give the id of the class that automatic selection picks', () => {
    const space = { domainCount: 8, targetCount: 64, redundancyFactor: 1 };
    expect(objectClassName(objectClassFit(ObjectType.MULTI_HASHED, 0, 0, space).classId)).toBe('RP_2G1');
    expect(objectClassName(objectClassFit(ObjectType.KV_HASHED, 0, 0, space).classId)).toBe('RP_2G28');
    expect(objectClassName(objectClassFit(ObjectType.ARRAY, 0, 0, space).classId)).toBe('EC_4P1G10');
    expect(objectClassFit(0, 80, 0, space).classId).toBe(80);
  });
});

describe('object ids', () => {
  it('are nil when both halves are zero', () => {
    expect([objectIdIsNil({ hi: 0n, lo: 0n }), objectIdIsNil({ hi: 0n, lo: 1n })]).toEqual([true, false]);
  });

  it('hold type, redundancy, groups and 32 user bits in the upper half', () => {
    const oid = objectIdEncode({ hi: (77n << 40n) | 5n, lo: 7n }, ObjectType.KV_HASHED, 8, 1);
    expect(oid).toEqual({ hi: 0x0808000100000005n, lo: 7n });
    expect(objectIdToString(oid)).toBe('578712556412076037.7');
  });
});

describe('object id generation', () => {
  const cases = fixture<OidCase>('object-ids');

  it('fits explicit classes, selects classes by hints, and refuses what the pool cannot hold', () => {
    const wrong: unknown[] = [];
    for (const c of cases) {
      let got: unknown;
      try {
        const classId = c.class === '' ? 0 : (objectClassByName(c.class)?.id ?? -1);
        const oid = generateOid({
          user: { hi: BigInt(c.userHi), lo: BigInt(c.userLo) },
          type: c.type,
          classId,
          hints: c.hints,
          domainCount: c.domains,
          targetCount: c.targets,
          redundancyFactor: c.rf,
        });
        expect(objectIdType(oid)).toBe(c.type);
        got = { rc: 0, hi: String(oid.hi), lo: String(oid.lo), id: objectIdClassId(oid) };
      } catch (error) {
        if (!(error instanceof DaosError)) throw error;
        got = { rc: error.status };
      }
      const want =
        c.rc === 0 ? { rc: 0, hi: c.oidHi, lo: c.oidLo, id: (c.redun ?? 0) * 2 ** 24 + (c.groups ?? 0) } : { rc: c.rc };
      if (JSON.stringify(got) !== JSON.stringify(want)) wrong.push({ c, got });
    }
    expect(wrong).toEqual([]);
  });
});
