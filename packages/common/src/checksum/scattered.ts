import { DaosError } from '../error.js';
import { IodType, type Iod, type Recx } from '../io.js';
import type { ChecksumAlgorithm, ChecksumState } from './algorithm.js';
import { checksumChunkPhase, checksumChunkRecords } from './chunk.js';
import { ioMapRange, type IoMap } from './io_map.js';

/** Bytes of a value: in one buffer, or in blocks that are cut anywhere. */
export type Value = Uint8Array | readonly Uint8Array[];

/** Checksums of a value that lies in several blocks or has holes: see `iodChecksums`, which is how to ask for them. */
export function scatteredChecksums(
  algorithm: ChecksumAlgorithm, chunkBytes: number, iod: Iod, value: Value, map: IoMap | undefined,
): Uint8Array {
  const blocks = new BlockReader(value instanceof Uint8Array ? [value] : value);
  const state = algorithm.start();
  const out: Uint8Array[] = [];
  if (iod.type === IodType.SINGLE) {
    blocks.feed(state, blocks.left);
    out.push(finished(algorithm, state));
    return Buffer.concat(out);
  }
  const chunkRecords = checksumChunkRecords(chunkBytes, iod.size);
  let entry = 0;
  for (const recx of iod.recxs) {
    const range = map ? ioMapRange(map, recx, entry) : undefined;
    const present = map && range ? map.slice(range.index, range.index + range.count) : [recx];
    if (range) entry = range.index + range.count;
    extent(algorithm, state, blocks, recx, iod.size, chunkRecords, present, out);
  }
  return Buffer.concat(out);
}

/** One extent: feeds what is present chunk by chunk and passes over the rest. */
function extent(
  algorithm: ChecksumAlgorithm, state: ChecksumState, blocks: BlockReader, recx: Recx, recordSize: number,
  chunkRecords: number, present: readonly Recx[], out: Uint8Array[],
): void {
  const phase = checksumChunkPhase(recx.idx, chunkRecords);
  const end = Number(recx.nr);
  let at = 0;
  let openChunk = -1;
  for (const part of present) {
    let from = Math.max(Number(part.idx - recx.idx), at);
    const to = Math.min(Number(part.idx + part.nr - recx.idx), end);
    blocks.skip((from - at) * recordSize);
    while (from < to) {
      const chunk = Math.floor((phase + from) / chunkRecords);
      if (chunk !== openChunk && openChunk >= 0) out.push(finished(algorithm, state));
      openChunk = chunk;
      const cut = Math.min(to, (chunk + 1) * chunkRecords - phase);
      blocks.feed(state, (cut - from) * recordSize);
      from = cut;
    }
    at = Math.max(at, to);
  }
  if (openChunk >= 0) out.push(finished(algorithm, state));
  blocks.skip((end - at) * recordSize);
}

function finished(algorithm: ChecksumAlgorithm, state: ChecksumState): Uint8Array {
  const bytes = new Uint8Array(algorithm.length);
  state.finish(bytes, 0);
  state.begin();
  return bytes;
}

/** Reads a list of blocks as if they were one. */
class BlockReader {
  private block = 0;
  private at = 0;
  private leftBytes: number;

  constructor(private readonly blocks: readonly Uint8Array[]) {
    this.leftBytes = blocks.reduce((sum, { length }) => sum + length, 0);
  }

  get left(): number {
    return this.leftBytes;
  }

  skip(bytes: number): void {
    this.move(bytes, undefined);
  }

  /** Adds the next bytes to a checksum, also when there are none. */
  feed(state: ChecksumState, bytes: number): void {
    if (bytes === 0) state.update(EMPTY);
    this.move(bytes, state);
  }

  private move(bytes: number, state: ChecksumState | undefined): void {
    if (bytes > this.leftBytes) throw new DaosError('IO_INVAL', `the value is ${bytes - this.leftBytes} bytes shorter than the extents`);
    this.leftBytes -= bytes;
    let wanted = bytes;
    while (wanted > 0) {
      const block = this.blocks[this.block] as Uint8Array;
      const step = Math.min(wanted, block.length - this.at);
      state?.update(block, this.at, this.at + step);
      this.at += step;
      wanted -= step;
      if (this.at === block.length) {
        this.block++;
        this.at = 0;
      }
    }
  }
}

const EMPTY = new Uint8Array(0);
