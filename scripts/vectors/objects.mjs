// Object classes, and ids made for them.
import {
  generateOid,
  objectClassById,
  objectClassByName,
  objectClassIsValid,
  objectClassName,
  objectIdClassId,
  objectIdEncode,
} from '../../packages/common/dist/src/index.js';
import { ANY, attempt, byKind, pick } from './lib.mjs';

const CLASS_FIELDS = ['name', 'id', 'id2name', 'redun', 'kind', 'groups', 'groupSize', 'allowedFailures', 'replicas', 'k', 'p', 'oidHiForUserHi7'];
const REDUNDANCY_UNIT = 2 ** 24;

export const families = {
  'object-classes': byKind(
    {
      name: (row) => ({ want: pick(row, CLASS_FIELDS), got: classFields(objectClassByName(row.name)) }),
      lookupId: (row) => ({
        want: [row.valid, row.id2nameRc ?? 0, row.id2name],
        got: [objectClassIsValid(row.lookupId), objectClassById(row.lookupId) ? 0 : -1, objectClassName(row.lookupId)],
      }),
      lookupName: (row) => ({ want: row.id, got: objectClassByName(row.lookupName)?.id ?? 0 }),
    },
    (row) => ['name', 'lookupId', 'lookupName'].find((key) => row[key] !== undefined),
  ),
  'object-ids': byKind({
    [ANY]: (row) => {
      const { status, value } = attempt(() =>
        generateOid({
          user: { hi: BigInt(row.userHi), lo: BigInt(row.userLo) },
          type: row.type,
          // A class that no name finds has no id either.
          classId: row.class === '' ? 0 : (objectClassByName(row.class)?.id ?? -1),
          hints: row.hints,
          domainCount: row.domains,
          targetCount: row.targets,
          redundancyFactor: row.rf,
        }),
      );
      const id = value && objectIdClassId(value);
      return {
        want: pick(row, ['rc', 'oidHi', 'oidLo', 'redun', 'groups']),
        got: {
          rc: status,
          oidHi: value ? String(value.hi) : null,
          oidLo: value ? String(value.lo) : null,
          redun: value ? Math.trunc(id / REDUNDANCY_UNIT) : null,
          groups: value ? id % REDUNDANCY_UNIT : null,
        },
      };
    },
  }),
};

function classFields(found) {
  if (!found) throw new Error('no class of that name');
  const erasure = found.kind === 'ec';
  const oid = objectIdEncode({ hi: 7n, lo: 0n }, 0, Math.trunc(found.id / REDUNDANCY_UNIT), found.id % REDUNDANCY_UNIT);
  return {
    name: found.name,
    id: found.id,
    id2name: objectClassName(found.id),
    redun: found.redundancy,
    kind: found.kind,
    groups: found.groupCount,
    groupSize: found.groupSize,
    allowedFailures: found.allowedFailures,
    replicas: erasure ? null : found.groupSize,
    k: erasure ? found.dataCells : null,
    p: erasure ? found.parityCells : null,
    oidHiForUserHi7: String(oid.hi),
  };
}
