import type { IndexKey } from '../layout/index_key.js';
import { DATA_WRITE_BYTES, RECORD_HEADER_BYTES, recordBytes, recordSeal, type DataSum, type RecordPlace } from './log_record.js';

/**
 * Modifications of one batch as the log stores them: key bytes u16 (0x8000 set: removal) | value bytes u32 |
 * key | value; behind them the data writes that the batch depends on. The buffer is the record: what goes to the
 * file is what was collected here, without a copy.
 */
const CAPACITY_MIN = 128 * 1024;
const CAPACITY_KEPT_MAX = 1024 * 1024;
const REMOVAL = 0x8000;
const OP_BYTES = 6;
/** Above this length the runtime's copy is faster than a loop. */
const LOOP_BYTES_MAX = 96;

export class LogBuffer {
  buffer = Buffer.allocUnsafeSlow(CAPACITY_MIN);
  private readonly data: DataSum[] = [];
  private end = RECORD_HEADER_BYTES;

  /** Bytes that the batch adds to the log, without the header. */
  get payloadBytes(): number {
    return this.end - RECORD_HEADER_BYTES + this.data.length * DATA_WRITE_BYTES;
  }

  /** Bytes of the record in the file. */
  get recordBytes(): number {
    return recordBytes(this.end - RECORD_HEADER_BYTES, this.data.length);
  }

  put(key: IndexKey, value: Uint8Array): void {
    const at = this.op(key, value.length, 0);
    const { buffer } = this;
    const { length } = value;
    if (length <= LOOP_BYTES_MAX) for (let i = 0; i < length; i++) buffer[at + i] = value[i] as number;
    else buffer.set(value, at);
    this.end = at + length;
  }

  remove(key: IndexKey): void {
    this.end = this.op(key, 0, REMOVAL);
  }

  dependsOn(sum: DataSum): void {
    this.data.push(sum);
  }

  /** Completes the record; the result is its bytes in the file. */
  seal(place: RecordPlace & { readonly durable: number }): number {
    const opsBytes = this.end - RECORD_HEADER_BYTES;
    this.reserve(this.recordBytes);
    let at = this.end;
    for (const { offset, bytes, crc } of this.data) {
      this.buffer.writeDoubleLE(offset, at);
      this.buffer.writeUInt32LE(bytes, at + 8);
      this.buffer.writeUInt32LE(crc, at + 12);
      at += DATA_WRITE_BYTES;
    }
    return recordSeal(this.buffer, place, opsBytes, this.data.length);
  }

  /** Empties the buffer for another batch; memory of an exceptionally large one is given back. */
  reset(): void {
    this.end = RECORD_HEADER_BYTES;
    this.data.length = 0;
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
    if (end <= this.buffer.length) return;
    const wider = Buffer.allocUnsafeSlow(Math.max(recordBytes(end), this.buffer.length * 2));
    this.buffer.copy(wider, 0, 0, this.end);
    this.buffer = wider;
  }
}

/** Calls back for each modification of a logged batch, in order. `value` undefined: a removal. */
export function replayOps(ops: Buffer, apply: (key: Uint8Array, value: Uint8Array | undefined) => void): void {
  for (let at = 0; at < ops.length; ) {
    const keyBytes = ops.readUInt16LE(at);
    const valueBytes = ops.readUInt32LE(at + 2);
    const keyAt = at + OP_BYTES;
    const valueAt = keyAt + (keyBytes & ~REMOVAL);
    at = valueAt + valueBytes;
    const removal = (keyBytes & REMOVAL) !== 0;
    apply(ops.subarray(keyAt, valueAt), removal ? undefined : ops.subarray(valueAt, at));
  }
}
