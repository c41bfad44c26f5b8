import { DaosError, uuidFromBytes, uuidToBytes, type Uuid } from '@daos/common';

/* Values of RDB: numbers are little-endian, texts have no terminator. */

export function encodeU32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function encodeU64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

export function encodeUuid(uuid: Uuid): Uint8Array {
  return uuidToBytes(uuid);
}

export function encodeText(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

export function decodeU32(bytes: Uint8Array): number {
  return sized(bytes, 4).readUInt32LE();
}

export function decodeU64(bytes: Uint8Array): bigint {
  return sized(bytes, 8).readBigUInt64LE();
}

export function decodeUuid(bytes: Uint8Array): Uuid {
  return uuidFromBytes(bytes);
}

export function decodeText(bytes: Uint8Array): string {
  return view(bytes).toString('utf8');
}

function sized(bytes: Uint8Array, length: number): Buffer {
  if (bytes.length !== length)
    throw new DaosError('DF_INVAL', `a metadata value has ${bytes.length} bytes, ${length} expected`);
  return view(bytes);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
