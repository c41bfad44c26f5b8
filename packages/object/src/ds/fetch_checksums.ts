import { DaosError, checksumChunkCount, checksumChunkPhase, type Checksummer, type Recx } from '@daos/common';
import type { VosPiece } from '@daos/vos';

/**
 * Checksums of what a fetch returns of an array: one per chunk that has data, in request order.
 *
 * A chunk of the answer that is exactly one stored piece, whose stored chunk is returned whole, keeps its stored checksum
 * unseen: the client verifies it. Any other chunk (cut by the request or by a newer extent, or put together from several)
 * gets a new checksum over the bytes that are returned, holes passed over. It is computed before the stored chunks that
 * it was taken from are verified, so that bytes which change at any time are noticed, here or at the client.
 *
 * `pieces` are what VOS found, in request order, `extentOf` says which of `recxs` each belongs to; one that is longer than
 * its extent is used as far as the extent goes. When none of the pieces was stored with checksums there is nothing to
 * verify: the new ones then cover the way to the client. Throws DER_CSUM when a stored chunk does not match, when only
 * some pieces have checksums, or when these are not of the container's kind.
 */
export function fetchChecksums(
  checksummer: Checksummer, recordSize: number, recxs: readonly Recx[], pieces: readonly VosPiece[],
  extentOf: readonly number[],
): Uint8Array {
  const sole = pieces.length === 1 ? wholeExtent(checksummer, recordSize, recxs[extentOf[0] as number], pieces[0]) : undefined;
  if (sole) return sole;
  const writer = new ChunkWriter(checksummer, recordSize, pieces.some(({ stored }) => stored !== undefined));
  for (let i = 0; i < pieces.length; i++) {
    const extent = extentOf[i] as number;
    if (extent !== extentOf[i - 1]) writer.beginExtent(recxs[extent] as Recx);
    writer.add(pieces[i] as VosPiece);
  }
  return writer.finish();
}

/** The common case: a stored extent, returned as it is, and nothing else. */
function wholeExtent(
  checksummer: Checksummer, recordSize: number, asked: Recx | undefined, piece: VosPiece | undefined,
): Uint8Array | undefined {
  const stored = piece?.stored;
  if (!asked || !stored || piece.recx.nr !== stored.recx.nr || stored.recx.idx < asked.idx) return undefined;
  if (stored.recx.idx + stored.recx.nr > asked.idx + asked.nr) return undefined;
  checkStored(checksummer, checksummer.chunkRecords(recordSize), stored);
  return stored.checksums.bytes;
}

function checkStored(checksummer: Checksummer, chunkRecords: number, { recx, checksums }: NonNullable<VosPiece['stored']>): void {
  const { type, chunkBytes, algorithm } = checksummer;
  const bytes = checksumChunkCount(recx, chunkRecords) * algorithm.length;
  if (checksums.type !== type || checksums.chunkBytes !== chunkBytes || checksums.bytes.length !== bytes) {
    throw new DaosError('CSUM', `the checksums stored at record ${recx.idx} are not of the container's type ${type}`);
  }
}

/**
 * Index of the requested extent that each piece belongs to. Pieces come in request order and ascend within an extent.
 * Throws DER_IO for one that no extent asked for.
 */
export function extentsOfPieces(recxs: readonly Recx[], pieces: readonly VosPiece[]): number[] {
  if (recxs.length === 1) return new Array<number>(pieces.length).fill(0);
  const extentOf: number[] = [];
  let extent = 0;
  let seen = 0n;
  for (const { recx } of pieces) {
    while (recx.idx < seen || !overlaps(recxs[extent], recx)) {
      if (++extent >= recxs.length) throw new DaosError('IO', 'a fetch found records that were not asked for');
      seen = 0n;
    }
    seen = recx.idx + recx.nr;
    extentOf.push(extent);
  }
  return extentOf;
}

function overlaps(outer: Recx | undefined, inner: Recx): boolean {
  return outer !== undefined && inner.idx < outer.idx + outer.nr && inner.idx + inner.nr > outer.idx;
}

/** A piece's places, in records from the start of the requested extent. */
interface Source {
  readonly piece: VosPiece;
  /** Where the piece's bytes begin. */
  readonly dataFrom: number;
  /** What was stored; the piece itself when it has no checksums. */
  readonly storedFrom: number;
  readonly storedTo: number;
}

/** A part of one chunk: records `[from, to)` of the requested extent. */
interface Part {
  readonly source: Source;
  readonly from: number;
  readonly to: number;
}

/** Goes through the pieces of a request and gathers what belongs to one chunk. */
class ChunkWriter {
  private readonly out: Uint8Array[] = [];
  private readonly length: number;
  private readonly records: number;
  private recx: Recx = { idx: 0n, nr: 0n };
  /** How far the extent's first record lies behind the start of its chunk. */
  private phase = 0;
  /** The chunk that is being gathered, and its parts. */
  private chunk = 0;
  private parts: Part[] = [];

  constructor(
    private readonly checksummer: Checksummer, private readonly recordSize: number, private readonly isStored: boolean,
  ) {
    this.length = checksummer.algorithm.length;
    this.records = checksummer.chunkRecords(recordSize);
  }

  beginExtent(recx: Recx): void {
    this.flush();
    this.recx = recx;
    this.phase = checksumChunkPhase(recx.idx, this.records);
  }

  add(piece: VosPiece): void {
    const source = this.source(piece);
    const { records, phase } = this;
    const end = Math.min(source.dataFrom + Number(piece.recx.nr), Number(this.recx.nr));
    let from = Math.max(source.dataFrom, 0);
    while (from < end) {
      const chunk = Math.floor((phase + from) / records);
      const chunkEnd = (chunk + 1) * records - phase;
      if (this.isStored && (phase + from) % records === 0 && chunkEnd <= end) {
        this.flush();
        const whole = Math.floor((end - from) / records);
        this.copy(source, chunk, whole);
        from += whole * records;
        continue;
      }
      if (this.parts.length > 0 && chunk !== this.chunk) this.flush();
      this.chunk = chunk;
      const to = Math.min(end, chunkEnd);
      this.parts.push({ source, from, to });
      from = to;
    }
  }

  finish(): Uint8Array {
    this.flush();
    const { out } = this;
    return out.length === 1 ? (out[0] as Uint8Array) : Buffer.concat(out);
  }

  private source(piece: VosPiece): Source {
    const { stored } = piece;
    const dataFrom = Number(piece.recx.idx - this.recx.idx);
    if (!this.isStored) return { piece, dataFrom, storedFrom: dataFrom, storedTo: dataFrom + Number(piece.recx.nr) };
    if (!stored) throw new DaosError('CSUM', `the extent at record ${piece.recx.idx} was stored without checksums, others with`);
    checkStored(this.checksummer, this.records, stored);
    const storedFrom = Number(stored.recx.idx - this.recx.idx);
    return { piece, dataFrom, storedFrom, storedTo: storedFrom + Number(stored.recx.nr) };
  }

  /** Passes on `count` stored checksums, the first of them that of the extent's chunk `chunk`. */
  private copy(source: Source, chunk: number, count: number): void {
    const at = this.storedIndex(source, chunk) * this.length;
    const bytes = source.piece.stored?.checksums.bytes;
    if (bytes) this.out.push(bytes.subarray(at, at + count * this.length));
  }

  private storedIndex({ storedFrom }: Source, chunk: number): number {
    return chunk - Math.floor((this.phase + storedFrom) / this.records);
  }

  private chunkFrom({ storedFrom }: Source): number {
    return Math.max(this.chunk * this.records - this.phase, storedFrom);
  }

  private chunkTo({ storedTo }: Source): number {
    return Math.min((this.chunk + 1) * this.records - this.phase, storedTo);
  }

  /** Ends the gathered chunk. */
  private flush(): void {
    const { parts } = this;
    const [first] = parts;
    if (!first) return;
    const { source } = first;
    const isWhole = parts.length === 1 && first.from === this.chunkFrom(source) && first.to === this.chunkTo(source);
    if (this.isStored && isWhole) {
      this.copy(source, this.chunk, 1);
    } else {
      this.out.push(this.fresh(parts));
      if (this.isStored) for (const part of parts) this.verify(part.source);
    }
    this.parts = [];
  }

  private fresh(parts: readonly Part[]): Uint8Array {
    const { algorithm } = this.checksummer;
    const out = new Uint8Array(this.length);
    const state = algorithm.start();
    for (const { source, from, to } of parts) {
      const { data } = source.piece;
      state.update(data, (from - source.dataFrom) * this.recordSize, (to - source.dataFrom) * this.recordSize);
    }
    state.finish(out, 0);
    return out;
  }

  /** Verifies the stored chunk that a part was taken from. */
  private verify(source: Source): void {
    const { stored } = source.piece;
    if (!stored) return;
    const from = this.chunkFrom(source);
    const at = (from - source.storedFrom) * this.recordSize;
    const end = (this.chunkTo(source) - source.storedFrom) * this.recordSize;
    const index = this.storedIndex(source, this.chunk) * this.length;
    if (!this.checksummer.matches(stored.data, stored.checksums.bytes, index, at, end)) {
      throw new DaosError('CSUM', `stored data does not match its checksum (chunk at record ${this.recx.idx + BigInt(from)})`);
    }
  }
}
