import { createHash } from 'node:crypto';

import { kernelFor } from './kernel.js';
import { LANES, compressSha1, compressSha256 } from './sha_compress.js';
import { ChecksumType } from './type.js';

/**
 * The multi-hash form of SHA-1 and SHA-256 (Gueron, "A j-lanes tree hashing mode", 2014, as in ISA-L): sixteen lanes
 * each hash every sixteenth word of 1024-byte blocks, the lanes' states are hashed once more. Only the compression
 * function is needed, which node:crypto does not offer.
 */
const BLOCK_BYTES = 1024;
/** The message's length in bits stands at the end of the padding. */
const LENGTH_BYTES = 8;

/** What tells the two kinds apart. */
interface Kind {
  readonly type: number;
  /** Name in node:crypto of the hash over the lanes' states. */
  readonly final: string;
  readonly start: readonly number[];
  readonly compress: (state: Int32Array, lane: number, words: Int32Array) => void;
}

const SHA1: Kind = {
  type: ChecksumType.SHA1,
  final: 'sha1',
  start: [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0],
  compress: compressSha1,
};

const SHA256: Kind = {
  type: ChecksumType.SHA256,
  final: 'sha256',
  start: [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
  compress: compressSha256,
};

/** A running multi-hash digest. */
export class MultiHash {
  /** Word 0 of all lanes, then word 1, and so on. */
  private readonly state: Int32Array;
  private readonly words = new Int32Array(80);
  /** The bytes that do not fill a block yet. */
  private readonly rest = new Uint8Array(BLOCK_BYTES);
  private restBytes = 0;
  private totalBytes = 0;

  private constructor(private readonly kind: Kind) {
    this.state = new Int32Array(kind.start.length * LANES);
    this.begin();
  }

  static sha1(): MultiHash {
    return new MultiHash(SHA1);
  }

  static sha256(): MultiHash {
    return new MultiHash(SHA256);
  }

  begin(): void {
    this.kind.start.forEach((word, i) => this.state.fill(word, i * LANES, (i + 1) * LANES));
    this.restBytes = 0;
    this.totalBytes = 0;
  }

  /** Adds the bytes `[from, to)`. */
  update(bytes: Uint8Array, from: number, to: number): void {
    this.totalBytes += to - from;
    let at = from;
    if (this.restBytes > 0) {
      at = Math.min(to, from + BLOCK_BYTES - this.restBytes);
      this.keep(bytes, from, at);
      if (this.restBytes < BLOCK_BYTES) return;
      this.blocks(this.rest, 0, BLOCK_BYTES);
      this.restBytes = 0;
    }
    const end = to - ((to - at) % BLOCK_BYTES);
    this.blocks(bytes, at, end);
    this.keep(bytes, end, to);
  }

  /** The digest, its 32-bit words little-endian. The state is used up: `begin` comes next. */
  digest(): Buffer {
    const { rest, kind } = this;
    rest[this.restBytes] = 0x80;
    rest.fill(0, this.restBytes + 1);
    if (this.restBytes + 1 + LENGTH_BYTES > BLOCK_BYTES) {
      this.blocks(rest, 0, BLOCK_BYTES);
      rest.fill(0);
    }
    new DataView(rest.buffer).setBigUint64(BLOCK_BYTES - LENGTH_BYTES, BigInt(this.totalBytes) * 8n);
    this.blocks(rest, 0, BLOCK_BYTES);
    const states = Buffer.allocUnsafe(this.state.length * 4);
    this.state.forEach((word, i) => states.writeInt32LE(word, i * 4));
    return createHash(kind.final).update(states).digest().swap32();
  }

  private keep(bytes: Uint8Array, from: number, to: number): void {
    if (to === from) return;
    this.rest.set(bytes.subarray(from, to), this.restBytes);
    this.restBytes += to - from;
  }

  /** Adds whole blocks. */
  private blocks(bytes: Uint8Array, from: number, to: number): void {
    const { words, state, kind } = this;
    const kernel = kernelFor(to - from);
    if (kernel) {
      kernel(kind.type, state, bytes.subarray(from, to));
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = from; at < to; at += BLOCK_BYTES) {
      for (let lane = 0; lane < LANES; lane++) {
        for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + (i * LANES + lane) * 4);
        kind.compress(state, lane, words);
      }
    }
  }
}
