import { DaosError, type KeyFlavour, type UnitOid } from '@daos/common';

import type { Umem } from '../umem/umem.js';
import { bytesEqual, getU48, hash32, ownCopy, setU48, viewOf } from './bytes.js';
import { AKEY_LOG_AT, AkeyHead, DkeyHead, Head, ObjectHead, headKey } from './head.js';
import { HeadCache } from './head_cache.js';
import { IndexKey } from './index_key.js';
import { MURMUR_BYTES } from './murmur.js';
import { COLLISIONS_MAX, appendSortKey, mayCollide } from './sort_key.js';
import { Meta, Space } from './spaces.js';

/**
 * Cache places, as powers of two. A head takes some 300 bytes, an akey's with its embedded value up to 2 KiB.
 */
const OBJECT_SLOT_BITS = 12;
const DKEY_SLOT_BITS = 14;
const AKEY_SLOT_BITS = 15;
export const OID_BYTES = 22;
/** Longest sort key that a listing anchor carries as it is. */
export const ANCHOR_SORT_KEY_BYTES_MAX = 96;
/** Space and number of the parent, before the sort key. */
export const PREFIX_BYTES = 7;
/** Index key of a hashed key that is not stored as it is. */
const HASHED_INDEX_KEY_BYTES = PREFIX_BYTES + 1 + MURMUR_BYTES + 1;
/** In the place of a removed key: has no name and never existed. */
const VACANT = new Uint8Array(AKEY_LOG_AT);
const ENCODE_BYTES_MIN = 16 * 1024;

type Decode<H extends Head> = (
  parent: number,
  key: Uint8Array,
  hash: number,
  indexKey: Uint8Array,
  bytes: Uint8Array,
) => H;

/**
 * All heads of one pool: finds them in the cache or the index, makes new ones, and writes the changed ones
 * back when the batch ends. Whoever scans the index calls `writeBack` first.
 */
export class Heads {
  private readonly objects = new HeadCache<ObjectHead>(OBJECT_SLOT_BITS, (head) => this.evicted(head));
  private readonly dkeys = new HeadCache<DkeyHead>(DKEY_SLOT_BITS, (head) => this.evicted(head));
  private readonly akeys = new HeadCache<AkeyHead>(AKEY_SLOT_BITS, (head) => this.evicted(head));
  private dirty: Head[] = [];
  private readonly key = new IndexKey();
  private readonly oidBytes = new Uint8Array(OID_BYTES);
  private readonly oidView = viewOf(this.oidBytes);
  private encodeBytes = new Uint8Array(ENCODE_BYTES_MIN);
  private encodeView = viewOf(this.encodeBytes);
  /**
   * Index keys of long keys that are new in this batch: not in the index yet, so that a collision would not
   * show.
   */
  private readonly newPlaces = new Set<string>();
  private nextNo = 1;
  private nextNoStored = 1;

  constructor(private readonly umem: Umem) {
    const stored = umem.get(counterKey(this.key));
    if (stored) this.nextNo = this.nextNoStored = getU48(viewOf(stored), 0);
    umem.onBatchEnd(() => this.writeBack());
  }

  /** A number that nothing in this pool had before. */
  takeNo(): number {
    this.umem.touch();
    return this.nextNo++;
  }

  /** What an object is filed under, whether it exists or not. */
  objectHash(container: number, oid: UnitOid): number {
    return this.packOid(container, oid);
  }

  findObject(container: number, oid: UnitOid): ObjectHead | undefined {
    const hash = this.packOid(container, oid);
    const cached = this.objects.find(container, this.oidBytes, hash);
    if (cached) return cached;
    objectKey(this.key, container).raw(this.oidBytes);
    const stored = this.umem.get(this.key);
    if (!stored) return undefined;
    const head = ObjectHead.decode(container, ownCopy(this.oidBytes), hash, this.key.copy(), stored);
    this.objects.add(head);
    return head;
  }

  /** A head for an object that `findObject` did not find. */
  newObject(container: number, oid: UnitOid): ObjectHead {
    const hash = this.packOid(container, oid);
    objectKey(this.key, container).raw(this.oidBytes);
    return new ObjectHead(container, ownCopy(this.oidBytes), hash, this.key.copy(), this.takeNo());
  }

  /** The dkey if it is in memory. One that is not may still be in the index, but then the index tells all. */
  cachedDkey(objectNo: number, key: Uint8Array): DkeyHead | undefined {
    return this.dkeys.find(objectNo, key, hash32(key, objectNo));
  }

  cachedAkey(dkeyNo: number, key: Uint8Array): AkeyHead | undefined {
    return this.akeys.find(dkeyNo, key, hash32(key, dkeyNo));
  }

  findDkey(objectNo: number, key: Uint8Array, flavour: KeyFlavour): DkeyHead | undefined {
    return this.find(this.dkeys, Space.DKEY, objectNo, key, flavour, DkeyHead.decode, DkeyHead.keyOf);
  }

  newDkey(objectNo: number, key: Uint8Array, flavour: KeyFlavour): DkeyHead {
    const indexKey = this.freeIndexKey(Space.DKEY, objectNo, key, flavour);
    return this.filed(new DkeyHead(objectNo, headKey(key), hash32(key, objectNo), indexKey, this.takeNo()));
  }

  findAkey(dkeyNo: number, key: Uint8Array, flavour: KeyFlavour): AkeyHead | undefined {
    return this.find(this.akeys, Space.AKEY, dkeyNo, key, flavour, AkeyHead.decode, AkeyHead.keyOf);
  }

  newAkey(dkeyNo: number, key: Uint8Array, flavour: KeyFlavour): AkeyHead {
    const indexKey = this.freeIndexKey(Space.AKEY, dkeyNo, key, flavour);
    return this.filed(new AkeyHead(dkeyNo, headKey(key), hash32(key, dkeyNo), indexKey, this.takeNo()));
  }

  /** The head that counts for one seen earlier, or for a place in the index; undefined when it is gone. */
  current(place: { readonly indexKey: Uint8Array }): Head | undefined {
    if (place instanceof Head && place.isCached) return place;
    return this.at(place.indexKey);
  }

  /** The head stored at a key of the index. */
  at(indexKey: Uint8Array): Head | undefined {
    this.writeBack();
    const stored = this.umem.get(this.key.assign(indexKey));
    if (!stored) return undefined;
    const parent = getU48(viewOf(indexKey), 1);
    const own = ownCopy(indexKey);
    switch (indexKey[0]) {
      case Space.OBJECT:
        return this.load(this.objects, parent, own.subarray(PREFIX_BYTES), own, stored, ObjectHead.decode);
      case Space.DKEY:
        return this.load(this.dkeys, parent, DkeyHead.keyOf(stored), own, stored, DkeyHead.decode);
      case Space.AKEY:
        return this.load(this.akeys, parent, AkeyHead.keyOf(stored), own, stored, AkeyHead.decode);
      default:
        throw new DaosError('IO', 'the index names a head where there can be none');
    }
  }

  /** Takes a head out of the index and the cache. What is below it must be removed by its number. */
  remove(head: Head): void {
    head.isDirty = false;
    head.isCached = false;
    if (head instanceof AkeyHead) this.akeys.forget(head);
    else if (head instanceof DkeyHead) this.dkeys.forget(head);
    else this.objects.forget(head as ObjectHead);
    this.key.assign(head.indexKey);
    if (this.hasSuccessor(head)) this.umem.put(this.key, VACANT);
    else this.umem.remove(this.key);
    if (head.indexKey.length - PREFIX_BYTES > ANCHOR_SORT_KEY_BYTES_MAX) {
      this.umem.remove(this.key.space(Space.LONG_KEY).u48(head.no));
    }
  }

  /** Forgets a dkey whose row is being removed: nobody may write it back. Its row must be up to date. */
  forgetDkey(objectNo: number, key: Uint8Array): void {
    const head = this.cachedDkey(objectNo, key);
    if (!head) return;
    head.isDirty = false;
    head.isCached = false;
    this.dkeys.forget(head);
  }

  /** Forgets an akey whose row is being removed. */
  forgetAkey(dkeyNo: number, key: Uint8Array): void {
    const head = this.cachedAkey(dkeyNo, key);
    if (!head) return;
    head.isDirty = false;
    head.isCached = false;
    this.akeys.forget(head);
  }

  /** A key with the same hash stands behind this one: a search for it must not end here. */
  private hasSuccessor(head: Head): boolean {
    const { indexKey } = head;
    if (head instanceof ObjectHead || indexKey.length !== HASHED_INDEX_KEY_BYTES) return false;
    // a lexical key of that length stands in the index as it is, and has no others behind it
    if (bytesEqual(indexKey.subarray(PREFIX_BYTES), head.key)) return false;
    const next = ownCopy(indexKey);
    next[next.length - 1] = (next.at(-1) as number) + 1;
    const has = this.umem.has(this.key.assign(next));
    this.key.assign(indexKey);
    return has;
  }

  private load<H extends Head>(
    cache: HeadCache<H>,
    parent: number,
    key: Uint8Array,
    indexKey: Uint8Array,
    stored: Uint8Array,
    decode: Decode<H>,
  ): H {
    const hash = hash32(key, parent);
    const cached = cache.find(parent, key, hash);
    if (cached) return cached;
    const head = decode(parent, headKey(key), hash, indexKey, stored);
    cache.add(head);
    return head;
  }

  /** Call after every change of a head. */
  modified(head: Head): void {
    if (!head.isCached) {
      if (head instanceof AkeyHead) this.akeys.add(head);
      else if (head instanceof DkeyHead) this.dkeys.add(head);
      else this.objects.add(head as ObjectHead);
    }
    if (head.isDirty) return;
    head.isDirty = true;
    this.dirty.push(head);
    this.umem.touch();
  }

  /** Writes changed heads to the index, into the batch that is being collected. */
  writeBack(): void {
    if (this.nextNo !== this.nextNoStored) {
      const bytes = new Uint8Array(6);
      setU48(viewOf(bytes), 0, this.nextNo);
      this.umem.put(counterKey(this.key), bytes);
      this.nextNoStored = this.nextNo;
    }
    if (this.dirty.length === 0) return;
    const { dirty } = this;
    this.dirty = [];
    this.newPlaces.clear();
    for (const head of dirty) this.write(head);
  }

  /** Forgets everything that is cached. */
  clear(): void {
    this.writeBack();
    this.objects.clear();
    this.dkeys.clear();
    this.akeys.clear();
  }

  private evicted(head: Head): void {
    this.write(head);
  }

  private write(head: Head): void {
    if (!head.isDirty) return;
    head.isDirty = false;
    const bytes = head.encodedBytes;
    if (bytes > this.encodeBytes.length) {
      this.encodeBytes = new Uint8Array(bytes * 2);
      this.encodeView = viewOf(this.encodeBytes);
    }
    head.encode(this.encodeBytes, this.encodeView);
    this.umem.put(this.key.assign(head.indexKey), this.encodeBytes.subarray(0, bytes));
  }

  private find<H extends Head>(
    cache: HeadCache<H>,
    space: number,
    parent: number,
    key: Uint8Array,
    flavour: KeyFlavour,
    decode: Decode<H>,
    keyOf: (bytes: Uint8Array) => Uint8Array,
  ): H | undefined {
    const hash = hash32(key, parent);
    const cached = cache.find(parent, key, hash);
    if (cached) return cached;
    const collides = mayCollide(key, flavour);
    for (let collision = 0; collision < COLLISIONS_MAX; collision++) {
      appendSortKey(this.key.space(space).u48(parent), key, flavour, collision);
      const stored = this.umem.get(this.key);
      if (!stored) return undefined;
      if (collides && !bytesEqual(keyOf(stored), key)) continue;
      const head = decode(parent, headKey(key), hash, this.key.copy(), stored);
      cache.add(head);
      return head;
    }
    return undefined;
  }

  /** Where a key that is not in the index goes. */
  private freeIndexKey(space: number, parent: number, key: Uint8Array, flavour: KeyFlavour): Uint8Array {
    if (!mayCollide(key, flavour)) {
      appendSortKey(this.key.space(space).u48(parent), key, flavour, 0);
      return this.key.copy();
    }
    for (let collision = 0; collision < COLLISIONS_MAX; collision++) {
      appendSortKey(this.key.space(space).u48(parent), key, flavour, collision);
      const place = this.key.copy();
      const text = Buffer.from(place.buffer).toString('latin1');
      if (this.newPlaces.has(text) || this.umem.has(this.key)) continue;
      this.newPlaces.add(text);
      return place;
    }
    throw new DaosError('OVERFLOW', `${COLLISIONS_MAX} keys with one hash`);
  }

  /** Listing anchors name a key with a long sort key by its number: keep the way back. */
  private filed<H extends Head>(head: H): H {
    if (head.indexKey.length - PREFIX_BYTES > ANCHOR_SORT_KEY_BYTES_MAX) {
      this.umem.put(this.key.space(Space.LONG_KEY).u48(head.no), head.indexKey.subarray(PREFIX_BYTES));
    }
    return head;
  }

  private packOid(container: number, { oid, shard, layoutVersion }: UnitOid): number {
    const view = this.oidView;
    view.setBigUint64(0, oid.hi);
    view.setBigUint64(8, oid.lo);
    view.setUint32(16, shard);
    view.setUint16(20, layoutVersion);
    return hash32(this.oidBytes, container);
  }
}

function objectKey(key: IndexKey, container: number): IndexKey {
  return key.space(Space.OBJECT).u48(container);
}

function counterKey(key: IndexKey): IndexKey {
  return key.space(Space.META).u8(Meta.COUNTERS);
}
