import { DaosError, IodType, uuidFromBytes, type UnitOid } from '@daos/common';

import { IncarnationLog } from '../ilog/incarnation_log.js';
import { LogState } from '../ilog/log_state.js';
import { EMPTY, ownCopy, viewOf } from '../layout/bytes.js';
import { AkeyHead, DkeyHead, KeyRecord, ObjectHead } from '../layout/head.js';
import { OID_BYTES, PREFIX_BYTES } from '../layout/heads.js';
import { IndexKey } from '../layout/index_key.js';
import { Space } from '../layout/spaces.js';
import { appendAnchorKey } from '../ops/anchor.js';
import type { Umem, UmemEntry } from '../umem/umem.js';
import { hasVersionIn } from './changes.js';
import type { IterContext } from './context.js';
import { SLICE_RECORDS_EACH, notOfLevel, type Item, type Level, type Parent, type Slice } from './level.js';
import { placeAfter, type Place } from './place.js';
import { VosIterType, type VosIterEntry } from './types.js';

/** What the levels of objects, dkeys and akeys differ in. */
interface KeyKind {
  readonly type: typeof VosIterType.OBJ | typeof VosIterType.DKEY | typeof VosIterType.AKEY;
  readonly space: number;
  readonly noOf: (value: Uint8Array) => number;
  readonly logOf: (value: Uint8Array) => IncarnationLog;
  /** The level below. */
  readonly childOf: (value: Uint8Array) => VosIterType | undefined;
}

export const OBJECTS: KeyKind = {
  type: VosIterType.OBJ,
  space: Space.OBJECT,
  noOf: (value) => ObjectHead.decode(0, EMPTY, 0, EMPTY, value).no,
  logOf: (value) => ObjectHead.decode(0, EMPTY, 0, EMPTY, value).log,
  childOf: () => VosIterType.DKEY,
};
export const DKEYS: KeyKind = {
  type: VosIterType.DKEY,
  space: Space.DKEY,
  noOf: (value) => KeyRecord.no(viewOf(value)),
  logOf: (value) => IncarnationLog.decode(value, KeyRecord.FIXED_BYTES, KeyRecord.logCount(viewOf(value))),
  childOf: () => VosIterType.AKEY,
};
export const AKEYS: KeyKind = {
  type: VosIterType.AKEY,
  space: Space.AKEY,
  noOf: (value) => KeyRecord.no(viewOf(value)),
  logOf: AkeyHead.logOf,
  childOf: (value) => {
    const kind = value[KeyRecord.FIXED_BYTES];
    return kind === IodType.SINGLE ? VosIterType.SINGLE : kind === IodType.ARRAY ? VosIterType.RECX : undefined;
  },
};

/** The objects of a container, the dkeys of an object, or the akeys of a dkey, in the order of the index. */
export class KeyLevel implements Level {
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();

  constructor(
    private readonly context: IterContext,
    private readonly kind: KeyKind,
    private readonly parent: Parent,
  ) {}

  get type(): VosIterType {
    return this.kind.type;
  }

  slice(place: Place, count: number): Slice {
    const { kind, parent, context } = this;
    if (place.kind === 'end') return { items: [], next: undefined };
    const { heads, umem } = context.store;
    heads.writeBack();
    startAt(umem, this.from.space(kind.space).u48(parent.no), place);
    const to = this.to.space(kind.space).u48(parent.no).toPrefixEnd();
    const items: Item[] = [];
    const limit = count * SLICE_RECORDS_EACH;
    const found = [...umem.range({ from: this.from, to, limit })];
    for (const [i, row] of found.entries()) {
      const item = this.item(row);
      if (item) items.push(item);
      if (items.length === count && i + 1 < found.length) return { items, next: behind(row) };
    }
    const last = found.at(-1);
    return { items, next: last && found.length === limit ? behind(last) : undefined };
  }

  private item(row: UmemEntry): Item | undefined {
    const { kind, context, parent } = this;
    const { value } = row;
    const no = kind.noOf(value);
    // the place of a removed key
    if (no === 0) return undefined;
    const log = kind.logOf(value);
    const state = new LogState().reset(parent.state);
    log.parse(context.range.hi, context.bound, context.view, state);
    if (!this.isShown(row, log, state, no)) return undefined;
    const indexKey = ownCopy(row.key);
    const objectPunch = kind.type === VosIterType.OBJ ? state.punch.epoch : parent.objectPunch;
    const type = kind.childOf(value);
    const below = type && { type, parent: { no, state, objectPunch, indexKey } };
    return {
      entry: this.entry(row, state, log.isCorrupted, objectPunch),
      place: { kind: 'key', sortKey: indexKey.subarray(PREFIX_BYTES), no, isInclusive: true },
      ...(below ? { below } : {}),
      delete: () => this.delete(indexKey, no),
      markCorrupt: () => {
        throw new DaosError('INVAL', 'a single stored value can be marked: objects and keys are marked through their container');
      },
      validate: () => this.context.store.heads.at(indexKey)?.no === no,
    };
  }

  private isShown({ value }: UmemEntry, log: IncarnationLog, state: LogState, no: number): boolean {
    const { context, kind } = this;
    const { range } = context;
    if (context.showsEverything) return true;
    const began = log.count > 0 && log.entry(0).epoch <= range.hi;
    const isSeen = state.create !== 0n || (context.showsUncommitted && state.uncommitted !== 0n) || (context.showsPunched && began);
    if (!isSeen || range.lo === 0n) return isSeen;
    return hasVersionIn(context, kind.type, no, value, state);
  }

  private entry({ key, value }: UmemEntry, state: LogState, isCorrupted: boolean, objectPunchEpoch: bigint): VosIterEntry {
    const { kind } = this;
    const common = { epoch: state.create, punchEpoch: state.punch.epoch, objectPunchEpoch, isCorrupted };
    if (kind.type === VosIterType.OBJ) {
      const { maxWrite } = ObjectHead.decode(0, EMPTY, 0, EMPTY, value);
      return { type: kind.type, oid: oidOf(key.subarray(PREFIX_BYTES)), ...common, lastUpdate: maxWrite, childType: VosIterType.DKEY };
    }
    const isAkey = kind.type === VosIterType.AKEY;
    return {
      type: kind.type,
      key: ownCopy(isAkey ? AkeyHead.keyOf(value) : DkeyHead.keyOf(value)),
      ...common,
      lastUpdate: isAkey ? viewOf(value).getBigUint64(KeyRecord.FIXED_BYTES + 8) : 0n,
      childType: kind.childOf(value),
    };
  }

  private delete(indexKey: Uint8Array, no: number): void {
    const head = this.context.store.heads.at(indexKey);
    if (head?.no !== no) throw new DaosError('NONEXIST', 'it was removed already');
    this.context.container.detach(head);
  }
}

/** The containers of a pool. */
export class ContainerLevel implements Level {
  readonly type = VosIterType.COUUID;

  constructor(private readonly umem: () => Umem) {}

  slice(place: Place, count: number): Slice {
    if (place.kind === 'end') return { items: [], next: undefined };
    const umem = this.umem();
    const from = new IndexKey().space(Space.CONTAINER);
    if (place.kind === 'key') appendAnchorKey(from, place.sortKey, place.isInclusive);
    else if (place.kind !== 'start') throw notOfLevel('containers');
    const to = new IndexKey().space(Space.CONTAINER + 1);
    const found = [...umem.range({ from, to, limit: count })];
    const items = found.map(({ key }): Item => {
      const sortKey = ownCopy(key.subarray(1));
      return {
        entry: { type: VosIterType.COUUID, uuid: uuidFromBytes(sortKey) },
        place: { kind: 'key', sortKey, no: 0, isInclusive: true },
        delete: () => {
          throw new DaosError('NOSYS', 'a container is destroyed through its pool');
        },
        markCorrupt: () => {
          throw new DaosError('INVAL', 'a container cannot be marked');
        },
        validate: () => this.umem().has(new IndexKey().space(Space.CONTAINER).raw(sortKey)),
      };
    });
    const last = items.at(-1);
    return { items, next: last && items.length === count ? placeAfter(last.place) : undefined };
  }
}

/** Puts a scan's lower end, whose prefix is there, to a place among keys. */
function startAt(umem: Umem, from: IndexKey, place: Place): void {
  if (place.kind === 'start') return;
  if (place.kind === 'key') return appendAnchorKey(from, place.sortKey, place.isInclusive);
  if (place.kind !== 'no') throw notOfLevel('keys');
  const sortKey = umem.get(new IndexKey().space(Space.LONG_KEY).u48(place.no));
  if (!sortKey) throw new DaosError('INVAL', 'the key of this anchor is gone');
  appendAnchorKey(from, sortKey, place.isInclusive);
}

function behind({ key }: UmemEntry): Place {
  return { kind: 'key', sortKey: ownCopy(key.subarray(PREFIX_BYTES)), no: 0, isInclusive: false };
}

function oidOf(bytes: Uint8Array): UnitOid {
  const view = viewOf(bytes.subarray(0, OID_BYTES));
  return { oid: { hi: view.getBigUint64(0), lo: view.getBigUint64(8) }, shard: view.getUint32(16), layoutVersion: view.getUint16(20) };
}
