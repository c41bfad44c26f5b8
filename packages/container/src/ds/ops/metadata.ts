import type { Acl } from '@daos/common';
import {
  ChecksumType,
  ContCapability,
  ContProp,
  DaosError,
  aceParse,
  aclPrincipalParse,
  contStatusPack,
  type Epoch,
  type PropertyEntry,
  type Uuid,
} from '@daos/common';
import {
  attrsDel,
  attrsGet,
  attrsList,
  attrsSet,
  decodeU64,
  encodeU64,
  encodeUuid,
  type Attr,
  type OpId,
} from '@daos/pool/ds';
import { rdbIntegerKey, rdbIntegerOf, type RdbTx } from '@daos/rdb';
import { canGetProperties, canReadData, canSetProperties, canWriteData } from '@daos/security/rpc';

import type { ContInfo } from '../../types.js';
import type { ContHistory } from '../aggregate/pool_aggregator.js';
import {
  contAcl,
  contAclStore,
  contLabel,
  contNumber,
  contPropsCheckSet,
  contPropsGet,
  contPropsStore,
} from '../cont_props.js';
import type { ContService } from '../cont_service.js';
import { ContKey, PATH_CUUIDS, contPath, contSnapshotsPath, contUserPath, labelKey } from '../layout.js';
import { contHandle, type ContHandleRecord } from '../records.js';

/** An open container as a request names it. */
export interface Under {
  readonly container: Uuid;
  readonly handle: Uuid;
}

/** Properties with which stored data is not what was written. */
const TRANSFORMING = [ContProp.DEDUP, ContProp.COMPRESS, ContProp.ENCRYPT];
const OWNERSHIP: readonly number[] = [ContProp.OWNER, ContProp.OWNER_GROUP];

/** Info, and properties when some are asked for (all: an empty list). */
export function contQuery(
  service: ContService,
  under: Under,
  numbers: readonly number[] | undefined,
): Promise<{ info: ContInfo; props: PropertyEntry[] }> {
  return service.pool.read((tx) => {
    const { capas } = open(service, tx, under);
    const props = numbers ? contPropsGet(tx, under.container, numbers) : [];
    if (!canGetProperties(capas, classes(props))) throw denied('read these properties of', under);
    return { info: service.info(tx, under.container), props };
  });
}

export function contSetProps(
  service: ContService,
  op: OpId,
  under: Under,
  props: readonly PropertyEntry[],
): Promise<void> {
  return change(service, op, under, (tx, { capas }) => {
    contPropsCheckSet(props);
    if (!canSetProperties(capas, classes(props))) throw denied('change these properties of', under);
    const label = props.find(({ number }) => number === ContProp.LABEL);
    if (label) relabel(service, tx, under.container, String(label.value));
    contPropsStore(
      tx,
      under.container,
      props.map((prop) => (prop.number === ContProp.STATUS ? healthy(service) : prop)),
    );
  });
}

/** Merges entries into the ACL. DER_INVAL for a bad one. */
export function contUpdateAcl(
  service: ContService,
  op: OpId,
  under: Under,
  entries: readonly string[],
): Promise<void> {
  return changeAcl(service, op, under, (acl) => acl.with(entries.map(aceParse)));
}

export function contDeleteAcl(
  service: ContService,
  op: OpId,
  under: Under,
  principal: string,
): Promise<void> {
  const { principalType, principal: name } = aclPrincipalParse(principal);
  return changeAcl(service, op, under, (acl) => acl.without(principalType, name));
}

export function contSetAttrs(
  service: ContService,
  op: OpId,
  under: Under,
  attrs: readonly Attr[],
): Promise<void> {
  return change(service, op, under, (tx, { capas }) => {
    if (!canWriteData(capas)) throw denied('set attributes of', under);
    attrsSet(tx, contUserPath(under.container), attrs);
  });
}

export function contDelAttrs(
  service: ContService,
  op: OpId,
  under: Under,
  names: readonly string[],
): Promise<void> {
  return change(service, op, under, (tx, { capas }) => {
    if (!canWriteData(capas)) throw denied('delete attributes of', under);
    attrsDel(tx, contUserPath(under.container), names);
  });
}

export function contGetAttrs(
  service: ContService,
  under: Under,
  names: readonly string[],
): Promise<(Uint8Array | undefined)[]> {
  return readData(service, under, 'read attributes of', (tx) =>
    attrsGet(tx, contUserPath(under.container), names),
  );
}

export function contListAttrs(service: ContService, under: Under): Promise<string[]> {
  return readData(service, under, 'read attributes of', (tx) => attrsList(tx, contUserPath(under.container)));
}

/**
 * First of `count` consecutive ids. No record is kept of it: when the reply is lost, the ids are. DER_OVERFLOW when
 * the ids are used up.
 */
export function contAllocOids(service: ContService, under: Under, count: bigint): Promise<bigint> {
  return service.pool.change(async (tx) => {
    open(service, tx, under);
    if (count <= 0n) throw new DaosError('INVAL', `cannot allocate ${count} object ids`);
    const first = contNumber(tx, under.container, ContProp.ALLOCED_OID);
    if ((first + count) >> 64n !== 0n)
      throw new DaosError('OVERFLOW', `container ${under.container} has no ${count} object ids left`);
    contPropsStore(tx, under.container, [{ number: ContProp.ALLOCED_OID, value: first + count }]);
    return first;
  });
}

/** Keeps the present state readable: records an epoch. */
export function contCreateSnapshot(service: ContService, op: OpId, under: Under): Promise<Epoch> {
  return service.pool.write(
    op,
    async (tx) => {
      if (!canWriteData(open(service, tx, under).capas)) throw denied('make snapshots of', under);
      const epoch = service.pool.host.hlc.get();
      tx.update(contSnapshotsPath(under.container), rdbIntegerKey(epoch), Buffer.of(1));
      service.setCounter(
        tx,
        under.container,
        ContKey.NSNAPSHOTS,
        service.counter(tx, under.container, ContKey.NSNAPSHOTS) + 1,
      );
      service.touch(tx, under.container);
      return { result: epoch, data: encodeU64(epoch) };
    },
    (_tx, data) => Buffer.from(data).readBigUInt64LE(),
  );
}

export function contListSnapshots(service: ContService, under: Under): Promise<Epoch[]> {
  return readData(service, under, 'list snapshots of', (tx) =>
    [...tx.iterate(contSnapshotsPath(under.container))].map(({ key }) => rdbIntegerOf(key)),
  );
}

/** DER_NONEXIST when there is no snapshot at this epoch. */
export async function contDestroySnapshot(
  service: ContService,
  op: OpId,
  under: Under,
  epoch: Epoch,
): Promise<void> {
  await change(service, op, under, (tx, { capas }) => {
    if (!canWriteData(capas)) throw denied('destroy snapshots of', under);
    const path = contSnapshotsPath(under.container);
    if (!tx.lookup(path, rdbIntegerKey(epoch)))
      throw new DaosError('NONEXIST', `container ${under.container} has no snapshot at epoch ${epoch}`);
    tx.delete(path, rdbIntegerKey(epoch));
    service.setCounter(
      tx,
      under.container,
      ContKey.NSNAPSHOTS,
      service.counter(tx, under.container, ContKey.NSNAPSHOTS) - 1,
    );
    tx.update(contPath(under.container), ContKey.SNAP_DELETED, encodeU64(service.pool.host.hlc.get()));
  });
  await service.host.snapshotDeleted(service.ranks(), service.pool.uuid, under.container);
}

/** What a target has to know before it aggregates a container. DER_NONEXIST when there is none, or it is being destroyed. */
export function contHistory(service: ContService, container: Uuid): Promise<ContHistory> {
  return service.pool.read((tx) => {
    service.checkExists(tx, container);
    if (service.isDestroying(tx, container))
      throw new DaosError('NONEXIST', `container ${container} is being destroyed`);
    const deleted = tx.lookup(contPath(container), ContKey.SNAP_DELETED);
    return {
      // changes of the service wait for this: no snapshot with an earlier epoch comes after it
      now: service.pool.host.hlc.get(),
      snapshots: [...tx.iterate(contSnapshotsPath(container))].map(({ key }) => rdbIntegerOf(key)),
      snapshotDeleted: deleted ? decodeU64(deleted) : 0n,
      checksumType: scrubbedType(tx, container),
      isTransformed: TRANSFORMING.some((number) => contNumber(tx, container, number) !== 0n),
    };
  });
}

function scrubbedType(tx: RdbTx, container: Uuid): number {
  const isDisabled = contNumber(tx, container, ContProp.SCRUBBER_DISABLED) !== 0n;
  return isDisabled ? ChecksumType.OFF : Number(contNumber(tx, container, ContProp.CSUM));
}

function changeAcl(service: ContService, op: OpId, under: Under, make: (acl: Acl) => Acl): Promise<void> {
  return change(service, op, under, (tx, { capas }) => {
    if (!(capas & ContCapability.SET_ACL)) throw denied('change the access control list of', under);
    contAclStore(tx, under.container, make(contAcl(tx, under.container)));
  });
}

/** A change under a handle: notes the time of it. */
function change(
  service: ContService,
  op: OpId,
  under: Under,
  work: (tx: RdbTx, handle: ContHandleRecord) => void,
): Promise<void> {
  return service.pool.write(
    op,
    async (tx) => {
      work(tx, open(service, tx, under));
      service.touch(tx, under.container);
      return { result: undefined };
    },
    () => undefined,
  );
}

function readData<T>(service: ContService, under: Under, what: string, work: (tx: RdbTx) => T): Promise<T> {
  return service.pool.read((tx) => {
    if (!canReadData(open(service, tx, under).capas)) throw denied(what, under);
    return work(tx);
  });
}

function open(service: ContService, tx: RdbTx, under: Under): ContHandleRecord {
  service.checkExists(tx, under.container);
  return contHandle(tx, under.container, under.handle);
}

function classes(props: readonly PropertyEntry[]): { acl: boolean; ownership: boolean; others: boolean } {
  const has = (is: (number: number) => boolean): boolean => props.some(({ number }) => is(number));
  return {
    acl: has((number) => number === ContProp.ACL),
    ownership: has((number) => OWNERSHIP.includes(number)),
    others: has((number) => number !== ContProp.ACL && !OWNERSHIP.includes(number)),
  };
}

/** Setting the status to healthy states it for the present pool map. */
function healthy(service: ContService): PropertyEntry {
  return {
    number: ContProp.STATUS,
    value: contStatusPack({ healthy: true, flags: 0, mapVersion: service.pool.mapVersion }),
  };
}

/** Moves the container in the index of labels. DER_EXIST when another container has the label. */
function relabel(service: ContService, tx: RdbTx, container: Uuid, label: string): void {
  const old = contLabel(tx, container);
  if (old === label) return;
  if (service.findLabel(tx, label))
    throw new DaosError('EXIST', `pool ${service.pool.uuid} has a container "${label}" already`);
  if (old !== undefined) tx.delete(PATH_CUUIDS, labelKey(old));
  tx.update(PATH_CUUIDS, labelKey(label), encodeUuid(container));
}

function denied(what: string, { container }: Under): DaosError {
  return new DaosError('NO_PERM', `this handle does not allow to ${what} container ${container}`);
}
