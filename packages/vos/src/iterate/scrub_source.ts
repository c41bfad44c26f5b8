import { isDaosError, EPOCH_MAX, type Uuid } from '@daos/common';
import { assert } from '@daos/gurt';

import { ContainerHandle } from '../container.js';
import { LogState } from '../ilog/log_state.js';
import { EMPTY } from '../layout/bytes.js';
import type { PoolHandle } from '../pool.js';
import type { ScrubContainer, ScrubObject, ScrubSource, ScrubValue } from '../scrub/source.js';
import type { VosPool } from '../types.js';
import { IterContext } from './context.js';
import { Cursor, Turn } from './cursor.js';
import type { Item, Parent } from './level.js';
import { levelBelow, openLevel } from './open_level.js';
import { PLACE_START } from './place.js';
import { VosIterFlag, VosIterType, type VosIterParams, type VosObjectEntry } from './types.js';

/** What of a `ScrubSource` the store does not know: settings, the target's load, and whom to tell. */
export interface ScrubSurroundings extends Pick<ScrubSource, 'settings' | 'isStopping' | 'isIdle' | 'isLoaded' | 'corruptionDetected' | 'drain'> {
  /** Checksum type of a container's properties; 0: it has none. */
  checksumType(container: Uuid): number;
  isContainerStopping(container: Uuid): boolean;
}

/**
 * An open pool as the scrubber sees it: all versions of all values, punched and covered ones too. What the scrubber holds
 * of a value are its bytes in the index, or its place in the data file: `stillThere` tells whether it was moved or removed.
 */
export function vosScrubSource(pool: VosPool, surroundings: ScrubSurroundings): ScrubSource {
  const range = { epr: { lo: 0n, hi: EPOCH_MAX } };
  return {
    settings: () => surroundings.settings(),
    isStopping: () => surroundings.isStopping(),
    isIdle: () => surroundings.isIdle(),
    isLoaded: () => surroundings.isLoaded(),
    corruptionDetected: (container, value) => surroundings.corruptionDetected(container, value),
    drain: () => surroundings.drain(),
    containers: () => containersOf({ ...range, pool }),
    openContainer: (uuid) => openContainer(pool, uuid, surroundings),
  };
}

async function* containersOf(params: VosIterParams): AsyncGenerator<Uuid> {
  const opened = openLevel(params, VosIterType.COUUID, undefined);
  assert(opened !== undefined, 'the containers of an open pool are there');
  for await (const { entry } of items(new Cursor(opened.level, PLACE_START, new Turn()))) {
    if (entry.type === VosIterType.COUUID) yield entry.uuid;
  }
}

function openContainer(pool: VosPool, uuid: Uuid, surroundings: ScrubSurroundings): ScrubContainer | undefined {
  let handle: ReturnType<PoolHandle['containerOpen']>;
  try {
    handle = pool.containerOpen(uuid);
  } catch (error) {
    if (isDaosError(error, 'NONEXIST')) return undefined;
    throw error;
  }
  assert(handle instanceof ContainerHandle, 'a pool opens containers of this store');
  const container = handle;
  const params = { epr: { lo: 0n, hi: EPOCH_MAX }, flags: VosIterFlag.FOR_CHECK };
  const context = new IterContext(() => container.open(), params, undefined);
  return {
    uuid,
    checksumType: surroundings.checksumType(uuid),
    isStopping: () => surroundings.isContainerStopping(uuid),
    objects: () => objectsOf(context),
    close: () => container.close(),
  };
}

async function* objectsOf(context: IterContext): AsyncGenerator<ScrubObject> {
  const parent: Parent = { no: context.container.no, state: new LogState(), objectPunch: 0n, indexKey: EMPTY };
  const turn = new Turn();
  for await (const { entry, below } of items(new Cursor(levelBelow(context, VosIterType.OBJ, parent), PLACE_START, turn))) {
    if (entry.type !== VosIterType.OBJ || !below) continue;
    yield { oid: entry.oid, values: () => valuesOf(context, entry, below.parent, turn) };
  }
}

async function* valuesOf(context: IterContext, { oid }: VosObjectEntry, object: Parent, turn: Turn): AsyncGenerator<ScrubValue> {
  for await (const dkey of items(new Cursor(levelBelow(context, VosIterType.DKEY, object), PLACE_START, turn))) {
    if (!dkey.below) continue;
    for await (const akey of items(new Cursor(levelBelow(context, VosIterType.AKEY, dkey.below.parent), PLACE_START, turn))) {
      if (!akey.below) continue;
      const where = { oid, dkey: keyOf(dkey), akey: keyOf(akey) };
      for await (const item of items(new Cursor(levelBelow(context, akey.below.type, akey.below.parent), PLACE_START, turn))) {
        yield scrubValue(item, where);
        // any time may have passed at the scrubber's
        turn.passed();
      }
    }
  }
}

async function* items(cursor: Cursor): AsyncGenerator<Item> {
  for (let item = await cursor.next(); item; item = await cursor.next()) yield item;
}

function keyOf({ entry }: Item): Uint8Array {
  return entry.type === VosIterType.DKEY || entry.type === VosIterType.AKEY ? entry.key : EMPTY;
}

function scrubValue(item: Item, where: Omit<ScrubValue['where'], 'epoch'>): ScrubValue {
  const { entry } = item;
  assert(entry.type === VosIterType.SINGLE || entry.type === VosIterType.RECX, 'values lie below akeys');
  return {
    where: { ...where, epoch: entry.epoch },
    recx: entry.type === VosIterType.RECX ? entry.originalRecx : undefined,
    size: entry.recordSize,
    checksums: entry.checksums,
    isCorrupted: entry.isCorrupted,
    media: entry.media,
    read: (from, length) => entry.read(from, length),
    stillThere: () => item.validate(),
    markCorrupted: () => item.markCorrupt(),
  };
}
