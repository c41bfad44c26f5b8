import type { IndexKey } from '../layout/index_key.js';
import { RECORD_HEADER_BYTES, recordBytes } from './wal.js';

/**
 * Modifications of one batch as the log stores them: key bytes u16 (0x8000 set: removal) | value bytes u32 |
 * key | value.
 */
const CAPACITY_MIN = 128 * 1024;
const CAPACITY_KEPT_MAX = 1024 * 1024;
const REMOVAL = 0x8000;
const OP_BYTES = 6;

export class LogBuffer {
  buffer = Buffer.allocUnsafeSlow(CAPACITY_MIN);
  private end = RECORD_HEADER_BYTES;

  get payloadBytes(): number {
    return this.end - RECORD_HEADER_BYTES;
  }

  /** Adds a put; the result is the value's copy in this buffer. */
  put(key: IndexKey, value: Uint8Array): Uint8Array {
    const at = this.op(key, value.length, 0);
    this.buffer.set(value, at);
    this.end = at + value.length;
    return this.buffer.subarray(at, this.end);
  }

  remove(key: IndexKey): void {
    this.end = this.op(key, 0, REMOVAL);
  }

  /** Empties the buffer for another batch; memory of an exceptionally large one is given back. */
  reset(): void {
    this.end = RECORD_HEADER_BYTES;
    if (this.buffer.length > CAPACITY_KEPT_MAX) this.buffer = Buffer.allocUnsafeSlow(CAPACITY_MIN);
  }

  private op(key: IndexKey, valueBytes: number, mark: number): number {
    const keyBytes = key.length;
    const at = this.end;
    this.reserve(at + OP_BYTES + keyBytes + valueBytes);
    const { buffer } = this;
    buffer[at] = keyBytes & 0xff;
    buffer[at + 1] = (keyBytes | mark) >>> 8;
    buffer[at + 2] = valueBytes & 0xff;
    buffer[at + 3] = (valueBytes >>> 8) & 0xff;
    buffer[at + 4] = (valueBytes >>> 16) & 0xff;
    buffer[at + 5] = valueBytes >>> 24;
    const source = key.bytes;
    const start = at + OP_BYTES;
    for (let i = 0; i < keyBytes; i++) buffer[start + i] = source[i] as number;
    return start + keyBytes;
  }

  private reserve(end: number): void {
    const needed = recordBytes(end);
    if (needed <= this.buffer.length) return;
    const wider = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(wider, 0, 0, this.end);
    this.buffer = wider;
  }
}

/** Calls back for each modification of a logged batch, in order. `value` undefined: a removal. */
export function replayOps(payload: Buffer, apply: (key: Uint8Array, value: Uint8Array | undefined) => void): void {
  for (let at = 0; at < payload.length; ) {
    const keyBytes = payload.readUInt16LE(at);
    const valueBytes = payload.readUInt32LE(at + 2);
    const keyAt = at + OP_BYTES;
    const valueAt = keyAt + (keyBytes & ~REMOVAL);
    at = valueAt + valueBytes;
    const removal = (keyBytes & REMOVAL) !== 0;
    apply(payload.subarray(keyAt, valueAt), removal ? undefined : payload.subarray(valueAt, at));
  }
}
