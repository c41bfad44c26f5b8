/** Values carry a stamp of their number in each page, so that a wrong, torn or misplaced one is found. */
const PAGE_BYTES = 4096;
const STAMP_BYTES = 16;

/** Writes the stamps of value `number` into a buffer of at least 16 bytes. Returns the buffer. */
export function fillValue(buffer: Buffer, number: number): Buffer {
  for (let at = 0; at + STAMP_BYTES <= buffer.length; at += PAGE_BYTES) {
    buffer.writeDoubleLE(number, at);
    buffer.writeDoubleLE(at, at + 8);
  }
  return buffer;
}

export function verifyValue(data: Uint8Array, number: number): boolean {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at + STAMP_BYTES <= buffer.length; at += PAGE_BYTES) {
    if (buffer.readDoubleLE(at) !== number || buffer.readDoubleLE(at + 8) !== at) return false;
  }
  return true;
}
