import { dsContHandleLookup, type DsContHandle } from '@daos/container/ds';
import { DaosError, EPOCH_MAX, objectIdToString, type Checksummer, type Epoch, type UnitOid } from '@daos/common';
import type { Xstream } from '@daos/engine';
import { RateLimit } from '@daos/gurt';
import type { KeyFlavours } from '@daos/vos';

import { checksummerOf } from '../checksum.js';
import { keyFlavours } from '../key_flavours.js';
import type { ObjAnswer, ObjHead } from '../rpc.js';
import { ResendTable } from './resend_table.js';

/** Finds the open container of a request on this target. */
export type HandleLookup = typeof dsContHandleLookup;

const CORRUPTION_LOG_INTERVAL_MS = 60_000;

/** The object service's state in one target's xstream. */
export class ObjTarget {
  readonly resends: ResendTable;
  /** Log lines about corrupted data, by object: readers may meet it again and again. */
  readonly corruptions = new RateLimit(CORRUPTION_LOG_INTERVAL_MS);

  constructor(
    readonly xs: Xstream,
    private readonly lookup: HandleLookup = dsContHandleLookup,
  ) {
    this.resends = new ResendTable(xs.hlc.get());
  }

  /**
   * Admits a request and runs it: at once when the handle is known on this target, after asking the container
   * service otherwise. DER_NO_HDL for an unknown handle, DER_NONEXIST when it belongs to another container,
   * DER_STALE when the sender's pool map is older than this target's, DER_NO_PERM without the capability,
   * DER_INVAL for an object id of unknown type or a key that its type does not allow.
   */
  admit<T>(head: ObjHead, write: boolean, run: (admitted: Admitted) => T | Promise<T>): T | Promise<T> {
    const found = this.lookup(this.xs, head.pool, head.handle);
    if (found instanceof Promise) return found.then((handle) => run(this.check(handle, head, write)));
    return run(this.check(found, head, write));
  }

  private check(handle: DsContHandle, head: ObjHead, write: boolean): Admitted {
    if (handle.containerUuid !== head.container) {
      throw new DaosError('NONEXIST', `handle ${head.handle} does not belong to container ${head.container}`);
    }
    if (head.mapVersion < handle.poolMapVersion) {
      throw new DaosError('STALE', `pool map version ${head.mapVersion}, this target has ${handle.poolMapVersion}`);
    }
    if (write ? !handle.canWrite : !handle.canRead) {
      throw new DaosError('NO_PERM', `container ${head.container} is not open for ${write ? 'writing' : 'reading'}`);
    }
    const flavours = keyFlavours(head.oid);
    if (!flavours) throw new DaosError('INVAL', `object ${objectIdToString(head.oid)} has an unknown type`);
    return {
      handle,
      flavours,
      unit: { oid: head.oid, shard: head.shard, layoutVersion: head.layoutVersion },
      epoch: this.epochOf(head, write),
    };
  }

  /** 0 and the maximum leave the choice to this target, which makes it the operation's epoch owner. */
  private epochOf(head: ObjHead, write: boolean): Epoch {
    if (head.epoch === 0n || head.epoch === EPOCH_MAX) return this.xs.hlc.get();
    if (write) throw new DaosError('NOSYS', 'a modification at an epoch chosen elsewhere needs a transaction');
    return head.epoch;
  }
}

/** A request that passed admission. */
export interface Admitted {
  readonly handle: DsContHandle;
  readonly flavours: KeyFlavours;
  readonly unit: UnitOid;
  readonly epoch: Epoch;
}

export function answerOf(admitted: Admitted): ObjAnswer {
  return { mapVersion: admitted.handle.poolMapVersion, epoch: admitted.epoch };
}

/** Computes and verifies the container's checksums; undefined where they are off. */
export function checksummerFor({ handle }: Admitted): Checksummer | undefined {
  return handle.checksum && checksummerOf(handle.checksum);
}

/** Throws DER_INVAL for a key that an object of this type cannot have. */
export function checkKey(key: Uint8Array, flavour: KeyFlavours['dkey'], what: 'dkey' | 'akey'): void {
  if (key.length === 0) throw new DaosError('INVAL', `empty ${what}`);
  if (flavour === 'uint64' && key.length !== 8) {
    throw new DaosError('INVAL', `an integer ${what} has 8 bytes, got ${key.length}`);
  }
  if (flavour === 'lexical' && key.length > LEXICAL_KEY_MAX) {
    throw new DaosError('KEY2BIG', `a lexical ${what} has at most ${LEXICAL_KEY_MAX} bytes, got ${key.length}`);
  }
}

const LEXICAL_KEY_MAX = 100;
