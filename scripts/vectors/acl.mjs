// Access control: entries, lists, permissions.
import {
  ACL_CONTAINER_DEFAULT,
  ACL_POOL_DEFAULT,
  Acl,
  aceFault,
  aceFormat,
  aceParse,
  aceVerbose,
  aclContainerPermissions,
  aclPermissions,
  contCapabilities,
  poolCapabilities,
  principalIsValid,
} from '../../packages/common/dist/src/index.js';
import { attempt, byKind, hex, pick } from './lib.mjs';

/** Bytes before the entries of a stored list. */
const LIST_HEADER_BYTES = 8;
const POOL_RO = 1;
const POOL_RW = 2;
const CONT_FLAGS = { ro: 1, rw: 2, rwExclusive: 6, roEvictAll: 0x41 };
const ACE_FIELDS = ['fromStrRc', 'bytesHex', 'size', 'valid', 'toStrRc', 'toStr', 'verboseRc', 'verbose', 'accessTypes', 'principalType', 'flags', 'allow', 'audit', 'alarm'];
const DEFAULTS = { pool: ACL_POOL_DEFAULT, container: ACL_CONTAINER_DEFAULT };

export const families = {
  acl: byKind({
    ace: (row) => ({ want: pick(row, ACE_FIELDS), got: pick(entryFields(row.text), ACE_FIELDS) }),
    acl: (row) => {
      const { status, value: acl } = attempt(() => Acl.parse(row.aces));
      return {
        want: pick(row, ['fromStrsRc', 'validateRc', 'bytesHex', 'toStrs']),
        got: {
          fromStrsRc: status,
          validateRc: acl ? attempt(() => Acl.decode(acl.encode())).status : null,
          bytesHex: acl ? hex(acl.encode()) : null,
          toStrs: acl ? acl.format() : null,
        },
      };
    },
    permissions: (row) => ({ want: wantedPermissions(row), got: permissions(row) }),
    principal: (row) => ({ want: row.valid, got: principalIsValid(row.text) }),
    default: (row) => {
      const acl = DEFAULTS[row.kind];
      return { want: [row.bytesHex, row.toStrs], got: acl ? [hex(acl.encode()), acl.format()] : null };
    },
  }),
};

function entryFields(text) {
  const { status, value: entry } = attempt(() => aceParse(text));
  if (!entry) return { fromStrRc: status };
  const bytes = Acl.of([entry]).encode().subarray(LIST_HEADER_BYTES);
  const formatted = attempt(() => aceFormat(entry));
  const verbose = attempt(() => aceVerbose(text));
  return {
    fromStrRc: 0,
    bytesHex: hex(bytes),
    size: bytes.length,
    valid: aceFault(entry) === undefined,
    toStrRc: formatted.status,
    toStr: formatted.value,
    verboseRc: verbose.status,
    verbose: verbose.value,
    accessTypes: entry.accessTypes,
    principalType: entry.principalType,
    flags: entry.flags,
    allow: entry.allow,
    audit: entry.audit,
    alarm: entry.alarm,
  };
}

function wantedPermissions({ poolRc, contRc, poolPerms, contPerms, isOwner, poolCapas, contCapas }) {
  return [poolRc, contRc, poolPerms, contPerms, isOwner, pick(poolCapas, ['ro', 'rw']), pick(contCapas, Object.keys(CONT_FLAGS))];
}

function permissions(row) {
  const acl = Acl.parse(row.aces);
  const owner = { user: row.owner, group: row.ownerGroup };
  const requester = { user: row.user, groups: row.groups };
  const pool = attempt(() => aclPermissions(acl, owner, requester));
  const cont = attempt(() => aclContainerPermissions(acl, owner, requester));
  const isOwner = row.user === row.owner;
  return [
    pool.status,
    cont.status,
    pool.value,
    cont.value,
    isOwner,
    { ro: poolCapabilities(pool.value, POOL_RO), rw: poolCapabilities(pool.value, POOL_RW) },
    Object.fromEntries(Object.entries(CONT_FLAGS).map(([name, flags]) => [name, contCapabilities(cont.value, isOwner, flags)])),
  ];
}
