import { IodType, type Epoch, type KeyFlavour } from '@daos/common';

import { Slab } from '../umem/slab.js';
import type { Umem, UmemPeek } from '../umem/umem.js';
import { ValueRecord } from '../value/value_record.js';
import { AKEY_LOG_AT, DKEY_LOG_AT, KeyRecord } from './head.js';
import { IncarnationLog } from '../ilog/incarnation_log.js';
import { IndexKey } from './index_key.js';
import { appendSortKey } from './sort_key.js';
import { Space } from './spaces.js';

/** The answer could not be read off the stored bytes: make a head. */
export const UNCLEAR = -1;

/**
 * Reads of keys that are not in the cache and of the plainest kind: created once, never punched. They are
 * answered from the stored bytes, so that a scan through a large object neither makes heads nor drives out
 * those in use.
 */
export class KeyPeek {
  private readonly key = new IndexKey();
  private readonly slab = new Slab();

  constructor(private readonly umem: Umem) {}

  /** Number of a dkey that exists at `epoch`; 0: it does not; UNCLEAR. Call only without a punch above. */
  dkeyNo(objectNo: number, key: Uint8Array, flavour: KeyFlavour, epoch: Epoch): number {
    const found = this.find(Space.DKEY, objectNo, key, flavour);
    if (!found) return 0;
    if (!isPlain(found, DKEY_LOG_AT, key)) return UNCLEAR;
    return found.view.getBigUint64(DKEY_LOG_AT) <= epoch ? KeyRecord.no(found.view) : 0;
  }

  /**
   * The newest version of a single value, when it is small and not newer than `epoch`; undefined: unclear.
   */
  single(dkeyNo: number, key: Uint8Array, flavour: KeyFlavour, epoch: Epoch): ValueRecord | undefined {
    const found = this.find(Space.AKEY, dkeyNo, key, flavour);
    if (!found || !isPlain(found, AKEY_LOG_AT, key)) return undefined;
    const { bytes, view } = found;
    if (bytes[12] !== IodType.SINGLE) return undefined;
    const at = AKEY_LOG_AT + IncarnationLog.bytesFor(1) + key.length;
    // a value that is newer than asked for hides an older one
    if (view.getBigUint64(AKEY_LOG_AT) > epoch || view.getBigUint64(at) > epoch) return undefined;
    const stored = this.slab.take(found.length - at);
    for (let i = 0; i < stored.length; i++) stored[i] = bytes[at + i] as number;
    const record = ValueRecord.decode(stored);
    return record.isApart || record.owner !== 0 || record.isCorrupted ? undefined : record;
  }

  private find(space: number, parentNo: number, key: Uint8Array, flavour: KeyFlavour): UmemPeek | undefined {
    appendSortKey(this.key.space(space).u48(parentNo), key, flavour, 0);
    return this.umem.peek(this.key);
  }
}

/** One entry in the log, a creation that is committed; and the very key, not one with the same hash. */
function isPlain({ bytes, view }: UmemPeek, logAt: number, key: Uint8Array): boolean {
  if (KeyRecord.logCount(view) !== 1 || view.getUint16(logAt + 10) !== 0 || view.getUint32(logAt + 12) !== 0) return false;
  const { length } = key;
  if (KeyRecord.keyBytes(view) !== length) return false;
  const at = logAt + IncarnationLog.bytesFor(1);
  for (let i = 0; i < length; i++) if (bytes[at + i] !== key[i]) return false;
  return true;
}
