import { UUID_NIL, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';
import { LruMap } from '@daos/gurt';

import type { BodyReader } from './body_reader.js';
import type { BodyWriter } from './body_writer.js';

/**
 * UUIDs travel as 16 bytes and are text in the program. The same few handles ride on every I/O, so both directions
 * remember recent ones: converting costs a lookup, and equal UUIDs come out as the same string object, which makes
 * the maps keyed by them fast.
 */
const REMEMBERED_BITS = 10;
const REMEMBERED_MAX = 1 << REMEMBERED_BITS;
/** Odd, with bits all over: spreads a difference in any bit to the upper ones. */
const MIX = 0x9e37_79b1;

const bytesByText = new LruMap<Uuid, Buffer>(REMEMBERED_MAX);
let lastText: Uuid | undefined;
let lastBytes: Buffer = Buffer.alloc(16);

export function writeUuid(out: BodyWriter, text: Uuid): void {
  if (text !== lastText) {
    let bytes = bytesByText.get(text);
    if (!bytes) {
      bytes = uuidToBytes(text);
      bytesByText.set(text, bytes);
    }
    lastText = text;
    lastBytes = bytes;
  }
  out.bytes(lastBytes);
}

interface Remembered {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly text: Uuid;
}

/** Direct-mapped by a hash of the four words: a collision only costs a conversion. */
const textByWords: Remembered[] = Array.from({ length: REMEMBERED_MAX }, () => ({
  a: 0, b: 0, c: 0, d: 0, text: UUID_NIL,
}));

export function readUuid(reader: BodyReader): Uuid {
  const at = reader.fixedBytes(16);
  const view = reader.viewOf();
  const a = view.getInt32(at);
  const b = view.getInt32(at + 4);
  const c = view.getInt32(at + 8);
  const d = view.getInt32(at + 12);
  const index = Math.imul(a ^ Math.imul(b ^ Math.imul(c ^ Math.imul(d, MIX), MIX), MIX), MIX) >>> (32 - REMEMBERED_BITS);
  const entry = textByWords[index] as Remembered;
  if (entry.a === a && entry.b === b && entry.c === c && entry.d === d) return entry.text;
  const text = uuidFromBytes(new Uint8Array(view.buffer, view.byteOffset + at, 16));
  textByWords[index] = { a, b, c, d, text };
  return text;
}
