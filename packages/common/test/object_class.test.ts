import {
  DaosError,
  generateOid,
  objectClassById,
  objectClassByName,
  objectClassIsValid,
  objectClassName,
  objectIdClass,
  objectIdClassId,
  objectIdEncode,
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
  });

  it('finds names only exactly as registered', () => {
    for (const c of fixture<ClassCase>('object-classes').filter((row) => row.lookupName !== undefined)) {
      expect(objectClassByName(c.lookupName ?? '')?.id ?? 0).toBe(c.id);
    }
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
