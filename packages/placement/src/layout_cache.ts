import type { ObjectId } from '@daos/common';
import { LruMap } from '@daos/gurt';

import type { ObjectLayout } from './object_layout.js';
import type { PlaceOptions } from './placement_map.js';

/** Narrower layouts are computed again: that is as fast as looking them up. */
const SHARDS_MIN = 32;
const LAYOUTS_MAX = 512;
/** Shards of all remembered layouts together: some 25 MiB. */
const SHARDS_MAX = 1 << 18;

/** Layouts of wide objects on one version of a pool map, most recently used kept, bounded in shards. */
export class LayoutCache {
  private readonly layouts = new LruMap<bigint, ObjectLayout>(LAYOUTS_MAX, (_key, layout) => {
    this.shards -= layout.shards.length;
  });
  private shards = 0;

  get(oid: ObjectId, options: PlaceOptions): ObjectLayout | undefined {
    if (this.layouts.size === 0) return undefined;
    const key = keyOf(oid, options);
    return key === undefined ? undefined : this.layouts.get(key);
  }

  set(oid: ObjectId, options: PlaceOptions, layout: ObjectLayout): void {
    const size = layout.shards.length;
    if (size < SHARDS_MIN || size > SHARDS_MAX) return;
    const key = keyOf(oid, options);
    if (key === undefined) return;
    this.shards += size;
    this.layouts.set(key, layout);
    for (const oldest of this.layouts.keys()) {
      if (this.shards <= SHARDS_MAX) break;
      this.shards -= this.layouts.peek(oldest)?.shards.length ?? 0;
      this.layouts.delete(oldest);
    }
  }
}

/** One number for an object id and the options of everyday use; undefined for any others. */
function keyOf(oid: ObjectId, options: PlaceOptions): bigint | undefined {
  const { mode, version, objectVersion, pda = 0, perfDomainLevel = 0, faultLevel = 0, layoutVersion = 0, readOnly } = options;
  if (mode !== undefined || version !== undefined || objectVersion !== undefined) return undefined;
  const variant = (readOnly ? 1 : 0) + 2 * (faultLevel + 256 * (perfDomainLevel + 256 * layoutVersion));
  return (((BigInt(pda) << 64n) | BigInt(variant)) << 128n) | (oid.hi << 64n) | oid.lo;
}
