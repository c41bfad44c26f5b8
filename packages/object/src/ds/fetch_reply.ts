import { DaosError, IodType, checksumChunkRecords, type ChecksumAlgorithm, type Iod, type Recx } from '@daos/common';
import type { VosFetchedIod, VosPiece } from '@daos/vos';

import { digestMatches, digestOf } from '../checksum.js';
import { chunkPhase } from '../chunks.js';
import type { ObjFetchedIod } from '../rpc.js';

/** Checksums of a container, or undefined where they are off. */
export interface ReplyChecksums {
  readonly algorithm: ChecksumAlgorithm;
  readonly chunkBytes: number;
}

/** A part of one piece inside one chunk; `offset` in records from the start of the requested extent. */
interface Part {
  readonly piece: VosPiece;
  readonly extent: number;
  readonly chunk: number;
  readonly offset: number;
  readonly count: number;
}

/**
 * Turns what VOS found for one descriptor into its reply, appending the bytes to `data`.
 *
 * A chunk that the reply holds exactly as it was stored keeps its stored checksum. Any other chunk (cut by the request
 * or by a newer extent, or put together from several) gets a new one over the bytes that are returned, computed before
 * the stored chunks that it was taken from are verified: so bytes that changed at any time are noticed, here or at the
 * client. Throws DER_CSUM when a stored chunk does not match.
 */
export function fetchedIodReply(
  iod: Iod, found: VosFetchedIod, checksums: ReplyChecksums | undefined, data: Uint8Array[],
): ObjFetchedIod {
  for (const piece of found.pieces) {
    if (piece.data.length > 0) data.push(piece.data);
  }
  if (found.size === 0 && found.pieces.length === 0) return { size: 0, present: [] };
  if (iod.type === IodType.SINGLE) {
    return { size: found.size, checksums: checksums && singleChecksum(found, checksums) };
  }
  const extentOf = extentsOfPieces(iod.recxs, found.pieces);
  return {
    size: found.size,
    present: presentTriples(iod.recxs, found.pieces, extentOf),
    checksums: checksums && arrayChecksums(iod, found, extentOf, checksums),
  };
}

/** The same without data and checksums. */
export function fetchedIodSizes(iod: Iod, found: VosFetchedIod): ObjFetchedIod {
  if (found.size === 0 && found.pieces.length === 0) return { size: 0, present: [] };
  if (iod.type === IodType.SINGLE) return { size: found.size };
  const extentOf = extentsOfPieces(iod.recxs, found.pieces);
  return { size: found.size, present: presentTriples(iod.recxs, found.pieces, extentOf) };
}

function singleChecksum(found: VosFetchedIod, { algorithm }: ReplyChecksums): Uint8Array | undefined {
  const piece = found.pieces[0];
  if (!piece || piece.data.length === 0) return undefined;
  return piece.stored ? piece.stored.checksums.bytes : digestOf(algorithm, [piece.data]);
}

/** Index of the requested extent that each piece belongs to: pieces come in request order. */
function extentsOfPieces(recxs: readonly Recx[], pieces: readonly VosPiece[]): number[] {
  if (recxs.length === 1) return new Array<number>(pieces.length).fill(0);
  let extent = 0;
  return pieces.map(({ recx }) => {
    while (extent < recxs.length && !contains(recxs[extent] as Recx, recx)) extent++;
    if (extent === recxs.length) throw new DaosError('IO', 'a fetch found records that were not asked for');
    return extent;
  });
}

function contains(outer: Recx, inner: Recx): boolean {
  return inner.idx >= outer.idx && inner.idx + inner.nr <= outer.idx + outer.nr;
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

function arrayChecksums(
  iod: Iod, found: VosFetchedIod, extentOf: readonly number[], { algorithm, chunkBytes }: ReplyChecksums,
): Uint8Array {
  const records = checksumChunkRecords(chunkBytes, found.size);
  const parts = cutPieces(iod.recxs, found.pieces, extentOf, records);
  const out: Uint8Array[] = [];
  for (let start = 0; start < parts.length;) {
    const first = parts[start] as Part;
    let end = start + 1;
    while (end < parts.length && sameChunk(parts[end] as Part, first)) end++;
    out.push(chunkChecksum(parts.slice(start, end), iod.recxs[first.extent] as Recx, found.size, records, algorithm));
    start = end;
  }
  return out.length === 1 ? (out[0] as Uint8Array) : Buffer.concat(out);
}

function sameChunk(a: Part, b: Part): boolean {
  return a.extent === b.extent && a.chunk === b.chunk;
}

function cutPieces(
  recxs: readonly Recx[], pieces: readonly VosPiece[], extentOf: readonly number[], records: number,
): Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] as VosPiece;
    const extent = extentOf[i] as number;
    const recx = recxs[extent] as Recx;
    const phase = chunkPhase(recx, records);
    let offset = Number(piece.recx.idx - recx.idx);
    let left = Number(piece.recx.nr);
    while (left > 0) {
      const chunk = Math.floor((phase + offset) / records);
      const count = Math.min(left, (chunk + 1) * records - phase - offset);
      parts.push({ piece, extent, chunk, offset, count });
      offset += count;
      left -= count;
    }
  }
  return parts;
}

/** Where a part's chunk lies in what was stored, in records from the start of the requested extent. */
interface StoredChunk {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
  readonly checksum: Uint8Array;
}

function storedChunkOf(part: Part, recx: Recx, size: number, records: number, algorithm: ChecksumAlgorithm): StoredChunk | undefined {
  const { stored } = part.piece;
  if (!stored) return undefined;
  if (stored.checksums.type !== algorithm.type) {
    throw new DaosError('CSUM', `stored checksum has type ${stored.checksums.type}, the container ${algorithm.type}`);
  }
  const phase = chunkPhase(recx, records);
  const storedFrom = Number(stored.recx.idx - recx.idx);
  const storedTo = storedFrom + Number(stored.recx.nr);
  const from = Math.max(part.chunk * records - phase, storedFrom);
  const to = Math.min((part.chunk + 1) * records - phase, storedTo);
  const index = part.chunk - Math.floor((phase + storedFrom) / records);
  return {
    from,
    to,
    bytes: stored.data.subarray((from - storedFrom) * size, (to - storedFrom) * size),
    checksum: stored.checksums.bytes.subarray(index * algorithm.length, (index + 1) * algorithm.length),
  };
}

function chunkChecksum(parts: readonly Part[], recx: Recx, size: number, records: number, algorithm: ChecksumAlgorithm): Uint8Array {
  const first = parts[0] as Part;
  const stored = parts.map((part) => storedChunkOf(part, recx, size, records, algorithm));
  const sole = stored[0];
  if (parts.length === 1 && sole?.from === first.offset && sole.to === first.offset + first.count) return sole.checksum;
  const fresh = digestOf(algorithm, parts.map((part) => partBytes(part, recx, size)));
  for (const chunk of stored) {
    if (chunk && !digestMatches(algorithm, chunk.bytes, chunk.checksum, 0)) {
      const at = recx.idx + BigInt(Math.max(chunk.from, 0));
      throw new DaosError('CSUM', `stored data does not match its checksum (chunk at record ${at})`);
    }
  }
  return fresh;
}

function partBytes(part: Part, recx: Recx, size: number): Uint8Array {
  const start = part.offset - Number(part.piece.recx.idx - recx.idx);
  return part.piece.data.subarray(start * size, (start + part.count) * size);
}
