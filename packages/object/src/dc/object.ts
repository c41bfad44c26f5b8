import { targetTag } from '@daos/cart';
import {
  DaosError,
  dkeyToGroup,
  objectIdClass,
  objectIdToString,
  type ObjectClass,
  type ObjectId,
  type ObjectKeyFlavours,
} from '@daos/common';
import type { DcCont } from '@daos/container/dc';

import { keyFlavours, objectIdClassBits } from '../key_flavours.js';
import type { ObjHead } from '../rpc.js';
import { requestHead } from './head.js';
import { computeLayout, type ObjectLayout } from './layout.js';
import type { ShardAddress, ShardTarget } from './retry.js';

interface CachedLayout {
  readonly layout: ObjectLayout;
  readonly addresses: readonly ShardAddress[];
}

/**
 * An open object: an id, its class and where its shards are. Opening is local and says nothing about existence.
 * The layout is computed when first needed and again when the pool has a newer map.
 */
export class DcObject implements ShardTarget {
  readonly type: number;
  readonly flavours: ObjectKeyFlavours;
  readonly objectClass: ObjectClass;
  private cached: CachedLayout | undefined;
  private closed = false;

  /**
   * DER_INVAL for an unknown type or class, or a class that survives fewer failures than the container demands;
   * DER_NOSYS for a class with redundancy.
   */
  constructor(
    readonly cont: DcCont,
    readonly oid: ObjectId,
    readonly writable: boolean,
  ) {
    const flavours = keyFlavours(oid);
    if (!flavours) throw new DaosError('INVAL', `object ${objectIdToString(oid)} has an unknown type`);
    this.type = objectIdClassBits(oid) >>> 24;
    this.flavours = flavours;
    this.objectClass = objectIdClass(oid);
    if (this.objectClass.groupSize > 1) {
      throw new DaosError('NOSYS', `object class ${this.objectClass.name} stores with redundancy, which is not available yet`);
    }
    if (cont.redundancyFactor > 0) {
      throw new DaosError('INVAL',
        `object class ${this.objectClass.name} survives no failure, the container demands ${cont.redundancyFactor} (rd_fac)`);
    }
  }

  get layout(): ObjectLayout {
    return this.current().layout;
  }

  get mapVersion(): number {
    return this.current().layout.version;
  }

  get groupCount(): number {
    return this.current().layout.groupCount;
  }

  /** Group that holds a dkey. */
  groupOf(dkey: Uint8Array): number {
    const { groupCount } = this.current().layout;
    return groupCount === 1 ? 0 : dkeyToGroup(this.type, dkey, groupCount);
  }

  /** Where a group is asked and written. DER_IO when none of its shards has a target. */
  address(group: number): ShardAddress {
    const address = this.current().addresses[group];
    if (!address) throw new DaosError('INVAL', `object ${objectIdToString(this.oid)} has no group ${group}`);
    if (address.endpoint.rank < 0) {
      throw new DaosError('IO', `shard ${address.shard} of object ${objectIdToString(this.oid)} has no target`);
    }
    return address;
  }

  /** Head of a request to one shard. A new modification takes its id from the clock; reads have id 0. */
  head(shard: number, flags: number, apiFlags: number, dtiHlc: bigint): ObjHead {
    return requestHead(this.cont, this.oid, { shard, mapVersion: this.mapVersion, flags, apiFlags, dtiHlc });
  }

  /** For error messages. */
  get subject(): string {
    return `object ${objectIdToString(this.oid)}`;
  }

  /** DER_NO_HDL after `close`, DER_NO_PERM for a modification through a read-only handle. */
  check(write: boolean): void {
    if (this.closed) throw new DaosError('NO_HDL', `object ${objectIdToString(this.oid)} was closed`);
    if (write && !this.writable) {
      throw new DaosError('NO_PERM', `object ${objectIdToString(this.oid)} is open for reading only`);
    }
  }

  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    this.check(false);
    this.closed = true;
  }

  private current(): CachedLayout {
    const { cached } = this;
    const { map } = this.cont.pool;
    if (cached?.layout.version === map.version) return cached;
    const layout = computeLayout(map, this.oid, this.cont);
    const addresses: ShardAddress[] = [];
    for (let group = 0; group < layout.groupCount; group++) {
      const shard = layout.shards[group * layout.groupSize];
      if (!shard) throw new DaosError('IO', `group ${group} of object ${objectIdToString(this.oid)} has no shard`);
      addresses.push({ shard: shard.shard, endpoint: { rank: shard.rank, tag: targetTag(shard.target) } });
    }
    this.cached = { layout, addresses };
    return this.cached;
  }
}

/** Opens an object: no RPC, no check that anything was ever written to it. */
export function dcObjOpen(cont: DcCont, oid: ObjectId, options: { readonly writable: boolean }): DcObject {
  if (options.writable && !cont.writable) {
    throw new DaosError('NO_PERM', `container ${cont.label ?? cont.uuid} is open for reading only`);
  }
  return new DcObject(cont, oid, options.writable);
}
