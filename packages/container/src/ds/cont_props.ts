import {
  Acl,
  CONTAINER_LABEL_NOT_SET,
  CONTAINER_PROPERTIES,
  ContProp,
  DaosError,
  PoolProp,
  contStatusPack,
  contStatusUnpack,
  objectIdParse,
  objectIdToString,
  principalIsValid,
  type Ownership,
  type PropertyEntry,
  type PropertyValue,
  type Uuid,
} from '@daos/common';
import {
  decodeText,
  decodeU32,
  decodeU64,
  encodeText,
  encodeU32,
  encodeU64,
  poolPropsGet,
} from '@daos/pool/ds';
import { rdbStringKey, type RdbPath, type RdbTx } from '@daos/rdb';

import type { ContChecksum } from '../types.js';
import { contPath } from './layout.js';

type Kind = 'u32' | 'u64' | 'text' | 'acl' | 'oids';

/** Where a property is stored in the container's KVS, and how. */
const STORED: readonly (readonly [number: number, key: Uint8Array, kind: Kind])[] = [
  [ContProp.LABEL, rdbStringKey('label'), 'text'],
  [ContProp.LAYOUT_TYPE, rdbStringKey('layout_type'), 'u64'],
  [ContProp.LAYOUT_VER, rdbStringKey('layout_ver'), 'u64'],
  [ContProp.CSUM, rdbStringKey('csum'), 'u64'],
  [ContProp.CSUM_CHUNK_SIZE, rdbStringKey('csum_chunk_size'), 'u64'],
  [ContProp.CSUM_SERVER_VERIFY, rdbStringKey('csum_server_verify'), 'u64'],
  [ContProp.DEDUP, rdbStringKey('dedup'), 'u64'],
  [ContProp.DEDUP_THRESHOLD, rdbStringKey('dedup_threshold'), 'u64'],
  [ContProp.REDUN_FAC, rdbStringKey('redun_fac'), 'u64'],
  [ContProp.REDUN_LVL, rdbStringKey('redun_lvl'), 'u64'],
  [ContProp.SNAPSHOT_MAX, rdbStringKey('snapshot_max'), 'u64'],
  [ContProp.ACL, rdbStringKey('acl'), 'acl'],
  [ContProp.COMPRESS, rdbStringKey('compress'), 'u64'],
  [ContProp.ENCRYPT, rdbStringKey('encrypt'), 'u64'],
  [ContProp.OWNER, rdbStringKey('owner'), 'text'],
  [ContProp.OWNER_GROUP, rdbStringKey('owner_group'), 'text'],
  [ContProp.ROOTS, rdbStringKey('roots'), 'oids'],
  [ContProp.STATUS, rdbStringKey('co_status'), 'u64'],
  [ContProp.ALLOCED_OID, rdbStringKey('alloced_oid'), 'u64'],
  [ContProp.EC_CELL_SZ, rdbStringKey('ec_cell_sz'), 'u64'],
  [ContProp.EC_PDA, rdbStringKey('ec_pda'), 'u32'],
  [ContProp.RP_PDA, rdbStringKey('rp_pda'), 'u32'],
  [ContProp.GLOBAL_VERSION, rdbStringKey('cont_global_version'), 'u32'],
  [ContProp.SCRUBBER_DISABLED, rdbStringKey('scrubber_disabled'), 'u64'],
  [ContProp.OBJ_VERSION, rdbStringKey('cont_obj_version'), 'u32'],
  [ContProp.PERF_DOMAIN, rdbStringKey('perf_domain'), 'u32'],
];

/** Never given by a user: fixed, or chosen by the service. */
const FIXED_INVALID: readonly number[] = [ContProp.GLOBAL_VERSION, ContProp.OBJ_VERSION];
/** Given at creation only; changing them later is refused with DER_NO_PERM. */
const FIXED_AT_CREATE: readonly number[] = [
  ContProp.ALLOCED_OID,
  ContProp.EC_CELL_SZ,
  ContProp.EC_PDA,
  ContProp.RP_PDA,
  ContProp.PERF_DOMAIN,
];
/** Taken from the pool where a container has none of its own. */
const INHERITED: readonly (readonly [ofContainer: number, ofPool: number])[] = [
  [ContProp.REDUN_FAC, PoolProp.REDUN_FAC],
  [ContProp.EC_CELL_SZ, PoolProp.EC_CELL_SZ],
  [ContProp.EC_PDA, PoolProp.EC_PDA],
  [ContProp.RP_PDA, PoolProp.RP_PDA],
  [ContProp.PERF_DOMAIN, PoolProp.PERF_DOMAIN],
];
const ROOTS_MAX = 4;
const OID_BYTES = 16;

/**
 * Properties of a new container: what was given, else inherited from the pool, else the default.
 * DER_INVAL for unknown, unsettable or bad ones and for an owner who is not the creator.
 */
export function contPropsCreate(
  tx: RdbTx,
  given: readonly PropertyEntry[],
  creator: Ownership,
  mapVersion: number,
): PropertyEntry[] {
  CONTAINER_PROPERTIES.validate(given.filter(({ number, value }) => !isInherit(number, value)));
  for (const { number, value } of given) {
    const name = CONTAINER_PROPERTIES.findNumber(number)?.name;
    if (number === ContProp.GLOBAL_VERSION || number === ContProp.STATUS)
      throw new DaosError('INVAL', `container property ${name} cannot be given`);
    if (number === ContProp.OWNER && value !== creator.user) {
      throw new DaosError(
        'INVAL',
        `owner "${String(value)}" is not the user who creates the container, ${creator.user}`,
      );
    }
  }
  const props = new Map<number, PropertyValue>(
    CONTAINER_PROPERTIES.defaults().map(({ number, value }) => [number, value]),
  );
  props.delete(ContProp.LABEL);
  const pool = new Map(
    poolPropsGet(tx, [], [...INHERITED.map(([, number]) => number), PoolProp.GLOBAL_VERSION]).map(
      ({ number, value }) => [number, value],
    ),
  );
  for (const [number, ofPool] of INHERITED) setIfKnown(props, number, pool.get(ofPool));
  setIfKnown(props, ContProp.GLOBAL_VERSION, pool.get(PoolProp.GLOBAL_VERSION));
  props.set(ContProp.OWNER, creator.user);
  props.set(ContProp.OWNER_GROUP, creator.group);
  props.set(ContProp.STATUS, contStatusPack({ healthy: true, flags: 0, mapVersion }));
  for (const { number, value } of given) if (!isInherit(number, value)) props.set(number, value);
  return [...props].map(([number, value]) => ({ number, value }));
}

/** Zero means "as the pool has it" for some properties. */
function isInherit(number: number, value: PropertyValue): boolean {
  return value === 0n && number !== ContProp.REDUN_FAC && INHERITED.some(([of]) => of === number);
}

function setIfKnown(
  props: Map<number, PropertyValue>,
  number: number,
  value: PropertyValue | undefined,
): void {
  if (value !== undefined) props.set(number, value);
}

/** DER_INVAL or DER_NO_PERM when properties of an existing container cannot be changed so. */
export function contPropsCheckSet(props: readonly PropertyEntry[]): void {
  CONTAINER_PROPERTIES.validate(props);
  for (const { number, value } of props) {
    const name = CONTAINER_PROPERTIES.findNumber(number)?.name;
    if (FIXED_INVALID.includes(number))
      throw new DaosError('INVAL', `container property ${name} cannot be set`);
    if (FIXED_AT_CREATE.includes(number))
      throw new DaosError('NO_PERM', `container property ${name} is fixed when the container is created`);
    if (number === ContProp.STATUS && typeof value === 'bigint' && !contStatusUnpack(value).healthy) {
      throw new DaosError('INVAL', 'the status of a container can only be set to healthy');
    }
    const isPrincipal = number === ContProp.OWNER || number === ContProp.OWNER_GROUP;
    if (isPrincipal && !principalIsValid(String(value)))
      throw new DaosError('INVAL', `"${String(value)}" is not a principal (name@)`);
  }
}

/** Queues the change of properties. */
export function contPropsStore(tx: RdbTx, container: Uuid, props: readonly PropertyEntry[]): void {
  const path = contPath(container);
  for (const { number, value } of props) {
    const [, key, kind] = storedOf(number);
    const bytes = encode(value, kind);
    if (bytes.length > 0) tx.update(path, key, bytes);
  }
}

/** Properties by number, all when none are listed; DER_INVAL for an unknown number. */
export function contPropsGet(tx: RdbTx, container: Uuid, numbers: readonly number[]): PropertyEntry[] {
  const wanted = numbers.length > 0 ? numbers : CONTAINER_PROPERTIES.properties.map(({ number }) => number);
  const path = contPath(container);
  return wanted.map((number) => ({ number, value: get(tx, path, number) }));
}

/** A property that is a number. */
export function contNumber(tx: RdbTx, container: Uuid, number: number): bigint {
  const value = get(tx, contPath(container), number);
  if (typeof value !== 'bigint')
    throw new DaosError('DF_INVAL', `property ${number} of container ${container} is not a number`);
  return value;
}

/** Undefined where the container has no label. */
export function contLabel(tx: RdbTx, container: Uuid): string | undefined {
  const label = get(tx, contPath(container), ContProp.LABEL);
  return label === CONTAINER_LABEL_NOT_SET ? undefined : String(label);
}

export function contAcl(tx: RdbTx, container: Uuid): Acl {
  const bytes = tx.lookup(contPath(container), storedOf(ContProp.ACL)[1]);
  if (!bytes) throw new DaosError('DF_INVAL', `container ${container} has no access control list`);
  return Acl.decode(bytes);
}

export function contAclStore(tx: RdbTx, container: Uuid, acl: Acl): void {
  tx.update(contPath(container), storedOf(ContProp.ACL)[1], acl.encode());
}

export function contOwner(tx: RdbTx, container: Uuid): Ownership {
  const path = contPath(container);
  return { user: String(get(tx, path, ContProp.OWNER)), group: String(get(tx, path, ContProp.OWNER_GROUP)) };
}

/** Undefined where checksums are off. */
export function contChecksum(tx: RdbTx, container: Uuid): ContChecksum | undefined {
  const number = (of: number): number => Number(contNumber(tx, container, of));
  const type = number(ContProp.CSUM);
  if (type === 0) return undefined;
  return {
    type,
    chunkBytes: number(ContProp.CSUM_CHUNK_SIZE),
    serverVerify: number(ContProp.CSUM_SERVER_VERIFY) !== 0,
  };
}

export function labelPropKey(): Uint8Array {
  return storedOf(ContProp.LABEL)[1];
}

function get(tx: RdbTx, path: RdbPath, number: number): PropertyValue {
  const [, key, kind] = storedOf(number);
  const bytes = tx.lookup(path, key);
  if (bytes) return decode(bytes, kind);
  const value = CONTAINER_PROPERTIES.findNumber(number)?.defaultValue;
  return value ?? (kind === 'oids' ? [] : 0n);
}

function storedOf(number: number): readonly [number, Uint8Array, Kind] {
  const stored = STORED.find(([of]) => of === number);
  if (!stored) throw new DaosError('INVAL', `there is no container property ${number}`);
  return stored;
}

function encode(value: PropertyValue, kind: Kind): Uint8Array {
  if (kind === 'text') return encodeText(String(value));
  if (kind === 'acl') return Acl.parse(list(value)).encode();
  if (kind === 'oids') return encodeOids(list(value));
  if (typeof value !== 'bigint') throw new DaosError('INVAL', 'a number is expected');
  return kind === 'u32' ? encodeU32(Number(value)) : encodeU64(value);
}

function decode(bytes: Uint8Array, kind: Kind): PropertyValue {
  if (kind === 'text') return decodeText(bytes);
  if (kind === 'acl') return Acl.decode(bytes).format();
  if (kind === 'oids') return decodeOids(bytes);
  return kind === 'u32' ? BigInt(decodeU32(bytes)) : decodeU64(bytes);
}

function encodeOids(texts: readonly string[]): Uint8Array {
  if (texts.length > ROOTS_MAX)
    throw new DaosError('INVAL', `a container has at most ${ROOTS_MAX} root objects`);
  const bytes = Buffer.alloc(texts.length * OID_BYTES);
  texts.forEach((text, i) => {
    const { hi, lo } = objectIdParse(text);
    bytes.writeBigUInt64LE(hi, i * OID_BYTES);
    bytes.writeBigUInt64LE(lo, i * OID_BYTES + 8);
  });
  return bytes;
}

function decodeOids(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: buffer.length / OID_BYTES }, (_, i) =>
    objectIdToString({
      hi: buffer.readBigUInt64LE(i * OID_BYTES),
      lo: buffer.readBigUInt64LE(i * OID_BYTES + 8),
    }),
  );
}

function list(value: PropertyValue): readonly string[] {
  if (Array.isArray(value)) return value as readonly string[];
  throw new DaosError('INVAL', 'a list is expected');
}
