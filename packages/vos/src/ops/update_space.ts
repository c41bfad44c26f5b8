import { DaosError, IodType, type Iod } from '@daos/common';
import type { VeaReservation } from '@daos/vea';

import { EMPTY } from '../layout/bytes.js';
import { SPACE_PER_UPDATE_BYTES, SPACE_PER_VALUE_BYTES } from '../space.js';
import type { Store } from '../store.js';
import type { VosUpdate } from '../types.js';
import { PIECES_MAX, type DataPiece } from '../value/value_record.js';

/** Spreads keys over the timestamp cache. */
export const TS_SEED = 0x5bd1e995;
/** A larger single value is stored in pieces of this size, which need not lie together. */
const GANG_PIECE_BYTES = 8 * 1024 * 1024;

/** An update with no more than this for the data file does not wait for it before the index is changed. */
export const ALONGSIDE_BYTES_MAX = 32 * 1024;

interface PlacedPiece {
  readonly reservation: VeaReservation;
  readonly bytes: number;
}

/** Space for one value or extent in the data file; undefined: it goes into the index. */
export type Place = readonly PlacedPiece[] | undefined;

/** Finds room for the values of an update. */
export class UpdateSpace {
  constructor(private readonly store: Store) {}

  /** DER_NOSPACE when the update does not fit; the result is how much of it goes to the data file. */
  check(request: VosUpdate): number {
    const { data, space } = this.store;
    let indexBytes = SPACE_PER_UPDATE_BYTES + request.dkey.length;
    let fileBytes = 0;
    for (let i = 0; i < request.iods.length; i++) {
      const iod = request.iods[i] as Iod;
      indexBytes += SPACE_PER_VALUE_BYTES + iod.akey.length + (request.checksums?.[i]?.bytes.length ?? 0);
      if (iod.type === IodType.ARRAY) indexBytes += SPACE_PER_VALUE_BYTES * iod.recxs.length;
      if (iod.size === 0) continue;
      if (iod.type === IodType.SINGLE) {
        if (data.takes(iod.size)) fileBytes += iod.size;
        else indexBytes += iod.size;
        continue;
      }
      for (const { nr } of iod.recxs) {
        const bytes = Number(nr) * iod.size;
        if (data.takes(bytes)) fileBytes += bytes;
        else indexBytes += bytes;
      }
    }
    space.checkUpdate(indexBytes, fileBytes, request.flags);
    if (fileBytes > 0) data.checkDevice(fileBytes);
    return fileBytes;
  }

  /**
   * Starts to write what goes to the data file; the batch that is being collected is durable only when the data is,
   * too. For small values: should the data not arrive, the index takes no more modifications. DER_NOSPACE, and then
   * nothing is written.
   */
  writeAlongside(request: VosUpdate): Place[] {
    const { data } = this.store;
    const places: Place[] = [];
    const reserved: VeaReservation[] = [];
    const parts: Uint8Array[] = [];
    try {
      forEachValue(request, (bytes) => {
        if (!data.takes(bytes.length)) {
          places.push(undefined);
          return;
        }
        const reservation = data.reserve(bytes.length);
        reserved.push(reservation);
        parts.push(bytes);
        places.push([{ reservation, bytes: bytes.length }]);
      });
    } catch (error) {
      data.cancel(reserved);
      throw error;
    }
    reserved.forEach((reservation, i) => data.writeAlongside(reservation, parts[i] as Uint8Array));
    return places;
  }

  /**
   * Writes what goes to the data file and makes it durable, in one trip to the device; then calls `apply` with the places
   * in the order of the values, which checks anew and changes the index. On an error the space is given back.
   */
  async write(request: VosUpdate, apply: (places: Place[]) => void): Promise<void> {
    const { data } = this.store;
    const places: Place[] = [];
    const reserved: VeaReservation[] = [];
    const parts: Uint8Array[] = [];
    const writes: Promise<void>[] = [];
    try {
      forEachValue(request, (bytes, isSingle) => {
        places.push(data.takes(bytes.length) ? this.place(bytes, isSingle, reserved, parts) : undefined);
      });
      reserved.forEach((reservation, i) => writes.push(data.write(reservation, parts[i] as Uint8Array)));
      writes.push(data.flush());
      await Promise.all(writes);
      apply(places);
    } catch (error) {
      // a block may be handed out again only when nothing is on its way to it
      await Promise.allSettled(writes);
      data.cancel(reserved);
      throw error;
    }
  }

  /** The space belongs to the index from this batch on. */
  publish(place: readonly PlacedPiece[]): DataPiece[] {
    return place.map(({ reservation, bytes }) => {
      this.store.data.publish(reservation);
      return { block: reservation.offset, bytes };
    });
  }

  private place(bytes: Uint8Array, isSingle: boolean, reserved: VeaReservation[], parts: Uint8Array[]): Place {
    const { data } = this.store;
    const pieceBytes = isSingle && bytes.length > GANG_PIECE_BYTES ? GANG_PIECE_BYTES : bytes.length;
    if (bytes.length > pieceBytes * PIECES_MAX) throw new DaosError('REC2BIG', `a single value of ${bytes.length} bytes`);
    const pieces: PlacedPiece[] = [];
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const part = bytes.subarray(at, at + pieceBytes);
      const reservation = data.reserve(part.length);
      reserved.push(reservation);
      parts.push(part);
      pieces.push({ reservation, bytes: part.length });
    }
    return pieces;
  }
}

/** Calls back with the bytes of each single value and each extent, in the order in which places are used. */
function forEachValue({ iods, values }: VosUpdate, visit: (bytes: Uint8Array, isSingle: boolean) => void): void {
  for (let i = 0; i < iods.length; i++) {
    const iod = iods[i] as Iod;
    const value = values[i] ?? EMPTY;
    if (iod.size === 0) continue;
    if (iod.type === IodType.SINGLE) {
      visit(value, true);
      continue;
    }
    let at = 0;
    for (const { nr } of iod.recxs) {
      const bytes = Number(nr) * iod.size;
      if (bytes > 0) visit(value.subarray(at, at + bytes), false);
      at += bytes;
    }
  }
}
