import { DaosError, IodType, type Checksummer, type Iod, type Recx } from '@daos/common';
import type { VosFetchedIod, VosPiece } from '@daos/vos';

import type { ObjFetchedIod } from '../rpc.js';
import { extentsOfPieces, fetchChecksums } from './fetch_checksums.js';

/**
 * Turns what VOS found for one descriptor into its reply, appending the bytes to `data`. Without `checksummer` the reply
 * has no checksums. Throws DER_CSUM as `fetchChecksums`.
 */
export function fetchedIodReply(
  iod: Iod, found: VosFetchedIod, checksummer: Checksummer | undefined, data: Uint8Array[],
): ObjFetchedIod {
  for (const piece of found.pieces) {
    if (piece.data.length > 0) data.push(piece.data);
  }
  if (found.size === 0 && found.pieces.length === 0) return { size: 0, present: [] };
  if (iod.type === IodType.SINGLE) {
    return { size: found.size, checksums: checksummer && singleChecksum(found, checksummer) };
  }
  const extentOf = extentsOfPieces(iod.recxs, found.pieces);
  return {
    size: found.size,
    present: presentTriples(iod.recxs, found.pieces, extentOf),
    checksums: checksummer && fetchChecksums(checksummer, found.size, iod.recxs, found.pieces, extentOf),
  };
}

/** The same without data and checksums. */
export function fetchedIodSizes(iod: Iod, found: VosFetchedIod): ObjFetchedIod {
  if (found.size === 0 && found.pieces.length === 0) return { size: 0, present: [] };
  if (iod.type === IodType.SINGLE) return { size: found.size };
  const extentOf = extentsOfPieces(iod.recxs, found.pieces);
  return { size: found.size, present: presentTriples(iod.recxs, found.pieces, extentOf) };
}

/** A single value is returned as it was stored, and with what was stored. */
function singleChecksum(found: VosFetchedIod, checksummer: Checksummer): Uint8Array | undefined {
  const piece = found.pieces[0];
  if (!piece || piece.data.length === 0) return undefined;
  const { algorithm } = checksummer;
  if (!piece.stored) {
    const fresh = new Uint8Array(algorithm.length);
    algorithm.digest(piece.data, fresh, 0);
    return fresh;
  }
  const { type, bytes } = piece.stored.checksums;
  if (type !== algorithm.type || bytes.length !== algorithm.length) {
    throw new DaosError('CSUM', `a single value's stored checksum has type ${type}, the container ${algorithm.type}`);
  }
  return bytes;
}

/** Neighbouring pieces are one; undefined when everything that was asked for is there. */
function presentTriples(
  recxs: readonly Recx[], pieces: readonly VosPiece[], extentOf: readonly number[],
): number[] | undefined {
  const triples: number[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const { recx } = pieces[i] as VosPiece;
    const extent = extentOf[i] as number;
    const offset = Number(recx.idx - (recxs[extent] as Recx).idx);
    const count = Number(recx.nr);
    const last = triples.length - 3;
    if (last >= 0 && triples[last] === extent && (triples[last + 1] as number) + (triples[last + 2] as number) === offset) {
      triples[last + 2] = (triples[last + 2] as number) + count;
    } else {
      triples.push(extent, offset, count);
    }
  }
  if (triples.length !== recxs.length * 3) return triples;
  const whole = recxs.every((recx, i) => BigInt(triples[i * 3 + 2] as number) === recx.nr);
  return whole ? undefined : triples;
}
