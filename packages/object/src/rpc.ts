import { defineRpc, f, type MessageOf } from '@daos/cart';

/**
 * RPCs of the object module, numbered as in DAOS. Object data never travels inside a body: the values of an update
 * and the records of a fetch ride behind it, back to back in the order of the descriptors.
 */
const MODULE = 4;
const VERSION = 10;

/** Flags of a request (ORF_*), numbered as in DAOS. */
export const ObjFlag = {
  /** The same logical request was sent before. */
  RESEND: 1 << 1,
  /** A client reports corruption that it saw in data from this target; nothing is read. */
  CSUM_REPORT: 1 << 3,
  /** Only whether the keys exist. */
  CHECK_EXISTENCE: 1 << 12,
  /** The client has retried ten times or more. */
  MAYBE_STARVE: 1 << 15,
  CONTAIN_LEADER: 1 << 20,
  DESCENDING_ORDER: 1 << 21,
  /** Only sizes and extents, no data. */
  EMPTY_SGL: 1 << 24,
} as const;

/** Most keys or extents of one page, and the bytes that a page of keys stays below unless one key alone is larger. */
export const PAGE_ITEMS_MAX = 4096;
export const PAGE_BYTES_MAX = 1024 * 1024;

/** Descriptors of one request; akeys of one punch. */
export const IODS_MAX = 65_536;

/**
 * What every request begins with. `dti` identifies a modification across resends: the client's id and its clock
 * reading; the reading is 0 for reads. `epoch` 0 lets the target choose.
 */
const headFields = {
  pool: f.uuid,
  handle: f.uuid,
  container: f.uuid,
  mapVersion: f.u32,
  flags: f.u32,
  dtiClient: f.uuid,
  dtiHlc: f.u64,
  oid: f.oid,
  shard: f.u32,
  layoutVersion: f.u32,
  epoch: f.u64,
  /** Conditions (`Cond`) or query bits (`QueryFlag`). */
  apiFlags: f.u32,
  enqueueId: f.u32,
};
/** A struct of its own, so that building a request on the hot path copies nothing. */
const head = f.struct(headFields);

/** What every reply begins with: the map version that the target has, and the epoch that it chose. */
const answer = {
  mapVersion: f.u32,
  epoch: f.u64,
};

/** Checksums of one descriptor, back to back: one per single value, one per chunk of each extent. */
const iod = f.struct({
  akey: f.bytes,
  type: f.u32,
  size: f.int,
  /** Pairs (first record, count). */
  recxs: f.array(f.u64),
  flags: f.u32,
  akeyChecksum: f.nullable(f.bytes),
  checksums: f.nullable(f.bytes),
});

/** Kind and chunk of the checksums in a request or reply; type 0: there are none. */
const checksumKind = { checksumType: f.u32, checksumChunk: f.u32 };

const update = {
  head,
  dkey: f.bytes,
  dkeyChecksum: f.nullable(f.bytes),
  ...checksumKind,
  iods: f.array(iod),
};

export const OBJ_UPDATE = defineRpc({
  name: 'OBJ_UPDATE', module: MODULE, version: VERSION, index: 0,
  request: update,
  reply: answer,
});

const fetchedIod = f.struct({
  /** Length of the single value or record size; 0: nothing is there. */
  size: f.int,
  /**
   * What of the request is present, as triples (extent of the request, records from its start, count); nil when all
   * of it is.
   */
  present: f.nullable(f.array(f.int)),
  checksums: f.nullable(f.bytes),
});

const fetched = { ...answer, ...checksumKind, iods: f.array(fetchedIod) };

export const OBJ_FETCH = defineRpc({
  name: 'OBJ_FETCH', module: MODULE, version: VERSION, index: 1,
  request: update,
  reply: fetched,
});

const enumerate = {
  head,
  epochLo: f.u64,
  limit: f.u32,
  anchor: f.nullable(f.bytes),
};

/** Keys travel behind the body; `lengths` cuts them apart. No `next`: the end was reached. */
const keyPage = { ...answer, lengths: f.array(f.u32), next: f.nullable(f.bytes) };

export const OBJ_DKEY_ENUMERATE = defineRpc({
  name: 'OBJ_DKEY_ENUMERATE', module: MODULE, version: VERSION, index: 2,
  request: enumerate,
  reply: keyPage,
});

export const OBJ_AKEY_ENUMERATE = defineRpc({
  name: 'OBJ_AKEY_ENUMERATE', module: MODULE, version: VERSION, index: 3,
  request: { ...enumerate, dkey: f.bytes },
  reply: keyPage,
});

export const OBJ_RECX_ENUMERATE = defineRpc({
  name: 'OBJ_RECX_ENUMERATE', module: MODULE, version: VERSION, index: 4,
  request: { ...enumerate, dkey: f.bytes, akey: f.bytes },
  reply: {
    ...answer,
    /** Quadruples (first record, count, epoch, record size). */
    extents: f.array(f.u64),
    next: f.nullable(f.bytes),
  },
});

export const OBJ_PUNCH = defineRpc({
  name: 'OBJ_PUNCH', module: MODULE, version: VERSION, index: 6,
  request: { head },
  reply: answer,
});

export const OBJ_PUNCH_DKEYS = defineRpc({
  name: 'OBJ_PUNCH_DKEYS', module: MODULE, version: VERSION, index: 7,
  request: { head, dkey: f.bytes },
  reply: answer,
});

export const OBJ_PUNCH_AKEYS = defineRpc({
  name: 'OBJ_PUNCH_AKEYS', module: MODULE, version: VERSION, index: 8,
  request: { head, dkey: f.bytes, akeys: f.array(f.bytes) },
  reply: answer,
});

export const OBJ_QUERY_KEY = defineRpc({
  name: 'OBJ_QUERY_KEY', module: MODULE, version: VERSION, index: 9,
  request: { head, dkey: f.nullable(f.bytes), akey: f.nullable(f.bytes) },
  reply: {
    ...answer,
    found: f.bool,
    dkey: f.nullable(f.bytes),
    akey: f.nullable(f.bytes),
    /** One pair, or nothing. */
    recx: f.nullable(f.array(f.u64)),
    maxEpoch: f.u64,
  },
});

export const OBJ_KEY2ANCHOR = defineRpc({
  name: 'OBJ_KEY2ANCHOR', module: MODULE, version: VERSION, index: 19,
  request: { head, dkey: f.bytes, akey: f.nullable(f.bytes) },
  reply: { ...answer, anchor: f.bytes },
});

/** Not in DAOS (which keeps object-id tables per snapshot): the object ids that one target knows. */
export const OBJ_OID_LIST = defineRpc({
  name: 'OBJ_OID_LIST', module: MODULE, version: VERSION, index: 128,
  request: { ...enumerate },
  reply: { ...answer, oids: f.array(f.oid), next: f.nullable(f.bytes) },
});

export type ObjHead = MessageOf<typeof headFields>;
export type ObjUpdateIn = MessageOf<typeof update>;
export type ObjIod = ObjUpdateIn['iods'][number];
export type ObjEnumerateIn = MessageOf<typeof enumerate>;
export type ObjFetchOut = MessageOf<typeof fetched>;
export type ObjFetchedIod = ObjFetchOut['iods'][number];
export type ObjAnswer = MessageOf<typeof answer>;
export type ObjKeyPage = MessageOf<typeof keyPage>;
