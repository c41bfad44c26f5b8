import type { ChunkState } from './chunk.js';
import type { VeaExtent } from './store.js';

/** What a space is. */
export interface VeaAttributes {
  readonly compat: number;
  readonly blockBytes: number;
  readonly headerBlocks: number;
  readonly totalBlocks: number;
  /** Free extents of more blocks are large. */
  readonly largeBlocks: number;
  readonly freeBlocks: number;
}

export interface VeaStatistics {
  /** Blocks that are durably free, and those that can be handed out now. */
  readonly freePersistent: number;
  readonly freeTransient: number;
  /** Extents that can be handed out, chunks, and freed extents that rest. */
  readonly fragmentsLarge: number;
  readonly fragmentsSmall: number;
  readonly fragmentsBitmap: number;
  readonly fragmentsAging: number;
  /** Freed blocks that cannot be handed out yet, also those of transactions that are not durable. */
  readonly agingBlocks: number;
  /** Reservations behind their stream, from a large extent, from a small one, from a chunk. */
  readonly reservedByHint: number;
  readonly reservedLarge: number;
  readonly reservedSmall: number;
  readonly reservedBitmap: number;
}

/** A chunk, for dumps. */
export interface VeaBitmap extends VeaExtent {
  readonly unitBlocks: number;
  readonly state: ChunkState;
  /** 64-bit words of its bitmap. */
  readonly words: number;
  /** Durably free, and those that can be handed out now. */
  readonly freeBlocks: number;
  readonly readyBlocks: number;
}
