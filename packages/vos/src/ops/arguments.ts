import { DaosError, EPOCH_MAX, IodType, type Epoch, type Iod, type Recx } from '@daos/common';

import { bytesEqual } from '../layout/bytes.js';
import { KEY_BYTES_MAX, checkKey } from '../layout/sort_key.js';
import type { KeyFlavours } from '../types.js';
import { EXTENT_RECORDS_MAX, INDEX_MAX } from '../value/extents.js';

/** Limits of one request. */
const IODS_MAX = 8192;
export { KEY_BYTES_MAX };

/** Modifications need an epoch of their own: 0 is "not chosen", the last is "newest". */
export function checkWriteEpoch(epoch: Epoch): void {
  if (epoch <= 0n || epoch >= EPOCH_MAX) throw new DaosError('INVAL', `cannot modify at epoch ${epoch}`);
}

export function checkReadEpoch(epoch: Epoch): void {
  if (epoch < 0n || epoch > EPOCH_MAX) throw new DaosError('INVAL', `cannot read at epoch ${epoch}`);
}

/**
 * Checks what update and fetch have in common: DER_IO_INVAL without iods or for a single value with extents,
 * DER_INVAL for sizes and indices out of range, DER_KEY2BIG.
 */
export function checkIods(dkey: Uint8Array, iods: readonly Iod[], flavours: KeyFlavours): void {
  checkKey('dkey', dkey, flavours.dkey);
  if (iods.length === 0) throw new DaosError('IO_INVAL', 'no iod');
  if (iods.length > IODS_MAX) throw new DaosError('IO_INVAL', `${iods.length} iods in one request`);
  for (const iod of iods) {
    checkKey('akey', iod.akey, flavours.akey);
    if (!Number.isInteger(iod.size) || iod.size < 0 || iod.size > 0xffff_ffff) {
      throw new DaosError('INVAL', `a value of ${iod.size} bytes`);
    }
    if (iod.type === IodType.SINGLE) {
      if (iod.recxs.length > 0) throw new DaosError('IO_INVAL', 'a single value has no extents');
    } else if (iod.type === IodType.ARRAY) {
      for (const { idx, nr } of iod.recxs) {
        if (idx < 0n || nr < 0n || (nr > 0n && idx + nr - 1n > INDEX_MAX)) {
          throw new DaosError('INVAL', `an extent of ${nr} records at ${idx}`);
        }
      }
    } else throw new DaosError('IO_INVAL', `iod type ${String(iod.type)}`);
  }
}

/** DER_NO_PERM when an akey appears twice: the order of the two would decide. */
export function checkDistinctAkeys(iods: readonly Iod[]): void {
  if (iods.length < 2) return;
  if (iods.length > 16) {
    const seen = new Set(iods.map((iod) => Buffer.from(iod.akey).toString('latin1')));
    if (seen.size !== iods.length) throw new DaosError('NO_PERM', 'an akey appears twice in one update');
    return;
  }
  for (let i = 1; i < iods.length; i++) {
    for (let j = 0; j < i; j++) {
      if (bytesEqual((iods[i] as Iod).akey, (iods[j] as Iod).akey)) {
        throw new DaosError('NO_PERM', 'an akey appears twice in one update');
      }
    }
  }
}

/**
 * Checks that values fit their iods: DER_IO_INVAL when the bytes given are not those that the extents ask
 * for, DER_NO_PERM for an extent of data that is too wide.
 */
export function checkValues(iods: readonly Iod[], values: readonly Uint8Array[]): void {
  for (let i = 0; i < iods.length; i++) {
    const iod = iods[i] as Iod;
    if (iod.size === 0) continue;
    let expected = iod.size;
    if (iod.type === IodType.ARRAY) {
      let records = 0n;
      for (const { nr } of iod.recxs) {
        if (nr > EXTENT_RECORDS_MAX) throw new DaosError('NO_PERM', `an extent of ${nr} records`);
        records += nr;
      }
      expected = Number(records) * iod.size;
    }
    const given = values[i]?.length ?? 0;
    if (given !== expected) throw new DaosError('IO_INVAL', `${given} bytes for a value of ${expected}`);
  }
}

/** DER_VOS_PARTIAL_UPDATE when extents of one iod overlap without being identical. */
export function checkOverlaps(iod: Iod): void {
  if (iod.recxs.length < 2) return;
  const sorted: readonly Recx[] = iod.recxs.filter(({ nr }) => nr > 0n).sort((a, b) => (a.idx < b.idx ? -1 : a.idx > b.idx ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1] as Recx;
    const recx = sorted[i] as Recx;
    if (before.idx + before.nr > recx.idx && !(before.idx === recx.idx && before.nr === recx.nr)) {
      throw new DaosError('VOS_PARTIAL_UPDATE', 'extents of one update overlap');
    }
  }
}
