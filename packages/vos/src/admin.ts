import { DaosError, uuidFromBytes, type Epoch, type UnitOid } from '@daos/common';

import { ContainerHandle } from './container.js';
import type { Container } from './container_state.js';
import type { ActiveDtx } from './dtx/active_dtx.js';
import type { DtxId } from './dtx/dtx_id.js';
import type { Head } from './layout/head.js';
import { PoolHandle } from './pool.js';
import type { KeyFlavours, VosContainer, VosPool } from './types.js';

/** An object, a dkey of it, or an akey of that. */
export interface VosLogPlace {
  readonly oid: UnitOid;
  readonly flavours: KeyFlavours;
  readonly dkey?: Uint8Array;
  readonly akey?: Uint8Array;
}

/** An entry of an incarnation log. */
export interface VosLogEntry {
  readonly epoch: Epoch;
  /** Local number of the transaction that wrote it; 0: committed. */
  readonly owner: number;
  readonly status: 'committed' | 'uncommitted' | 'aborted';
  readonly isPunch: boolean;
}

export interface VosCommittedDtx {
  readonly id: DtxId;
  readonly epoch: Epoch;
  /** Seconds since 1970. */
  readonly commitTime: number;
}

/** A run of free blocks of the data file. */
export interface VosFreeRegion {
  readonly offset: number;
  readonly blocks: number;
}

/** An incarnation log, oldest entry first. DER_NONEXIST when what it is of does not exist. */
export function vosLogEntries(container: VosContainer, place: VosLogPlace): VosLogEntry[] {
  const state = stateOf(container);
  const { log } = headAt(state, place);
  return Array.from({ length: log.count }, (_, i): VosLogEntry => {
    const { epoch, owner, updateMinor, punchMinor } = log.entry(i);
    const status = owner === 0 ? 'committed' : state.dtx.byOwner(owner) ? 'uncommitted' : 'aborted';
    return { epoch, owner, status, isPunch: punchMinor > updateMinor };
  });
}

/** For repair: all entries of a log count from now on, whatever becomes of their transactions. DER_NONEXIST. */
export async function vosLogCommit(container: VosContainer, place: VosLogPlace): Promise<void> {
  const state = stateOf(container);
  state.store.space.checkPunch(0);
  const head = headAt(state, place);
  for (let i = 0; i < head.log.count; i++) {
    const { epoch, owner } = head.log.entry(i);
    if (owner !== 0) head.log.persist(epoch, owner);
  }
  await changed(state, head);
}

/** For repair: empties a log, so that what it is of has never existed. What is below it stays. DER_NONEXIST. */
export async function vosLogClear(container: VosContainer, place: VosLogPlace): Promise<void> {
  const state = stateOf(container);
  state.store.space.checkPunch(0);
  const head = headAt(state, place);
  for (let i = head.log.count - 1; i >= 0; i--) head.log.removeAt(i);
  await changed(state, head);
}

/** Transactions that are not decided. The container must not change meanwhile. */
export function* vosDtxActive(container: VosContainer): Generator<ActiveDtx> {
  for (const dtx of stateOf(container).dtx.open()) if (dtx.id.uuid !== '') yield dtx;
}

/** Transactions that are remembered as committed, oldest batch first. The container must not change meanwhile. */
export function* vosDtxCommitted(container: VosContainer): Generator<VosCommittedDtx> {
  for (const { uuid, hlc, epoch, commitTime } of stateOf(container).committed.entries()) {
    yield { id: { uuid: uuidFromBytes(uuid), hlc }, epoch, commitTime };
  }
}

/** For repair: drops what a transaction names and does not exist; resolves with how many records that were. DER_NONEXIST. */
export async function vosDtxDiscardInvalid(container: VosContainer, id: DtxId): Promise<number> {
  const { dtx, store } = stateOf(container);
  const count = dtx.discardInvalid(id);
  await store.umem.durable();
  return count;
}

/** Durably free regions of the data file, in order. The pool must not change meanwhile. */
export function* vosFreeRegions(pool: VosPool): Generator<VosFreeRegion> {
  yield* poolOf(pool).freeSpace?.freeExtents('persistent') ?? [];
}

/** For repair: frees a region that nobody uses. DER_INVAL when a block of it is not allocated, or there is no data file. */
export async function vosFreeRegionAdd(pool: VosPool, { offset, blocks }: VosFreeRegion): Promise<void> {
  const { freeSpace, store } = poolOf(pool);
  if (!freeSpace) throw new DaosError('INVAL', 'the shard has no data file');
  store.space.checkPunch(0);
  // what is under way with the space has to be over
  await store.umem.durable();
  await freeSpace.markFree(offset, blocks);
  await store.umem.durable();
}

function stateOf(container: VosContainer): Container {
  if (!(container instanceof ContainerHandle)) throw new DaosError('INVAL', 'this is no container of a shard on this host');
  return container.open();
}

function poolOf(pool: VosPool): PoolHandle {
  if (!(pool instanceof PoolHandle)) throw new DaosError('INVAL', 'this is no shard on this host');
  return pool;
}

function headAt({ no, store: { heads } }: Container, { oid, flavours, dkey, akey }: VosLogPlace): Head {
  if (akey && !dkey) throw new DaosError('INVAL', 'an akey without its dkey');
  const object = heads.findObject(no, oid);
  if (!object) throw new DaosError('NONEXIST', 'the object does not exist');
  if (!dkey) return object;
  const dkeyHead = heads.findDkey(object.no, dkey, flavours.dkey);
  if (!dkeyHead) throw new DaosError('NONEXIST', 'the dkey does not exist');
  if (!akey) return dkeyHead;
  const akeyHead = heads.findAkey(dkeyHead.no, akey, flavours.akey);
  if (!akeyHead) throw new DaosError('NONEXIST', 'the akey does not exist');
  return akeyHead;
}

async function changed({ store }: Container, head: Head): Promise<void> {
  store.heads.modified(head);
  await store.umem.durable();
}
