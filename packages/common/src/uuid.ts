import { randomBytes } from 'node:crypto';

import { DaosError } from './error.js';

/** UUIDs are 16 bytes inside the system and lower-case text at its edges; this is the text form. */
export type Uuid = string;

export const UUID_NIL: Uuid = '00000000-0000-0000-0000-000000000000';

const UUID_RE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID_RE.test(text);
}

/** A random (version 4) UUID. */
export function uuidGenerate(random: (size: number) => Buffer = randomBytes): Uuid {
  const bytes = random(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return uuidFromBytes(bytes);
}

/** Text of 16 bytes. Throws DER_INVAL for any other length. */
export function uuidFromBytes(bytes: Uint8Array): Uuid {
  if (bytes.length !== 16) throw new DaosError('INVAL', `a UUID has 16 bytes, got ${bytes.length}`);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes of a UUID's text. Throws DER_INVAL when the text is not a UUID. */
export function uuidToBytes(text: Uuid): Buffer {
  if (!isUuid(text)) throw new DaosError('INVAL', `"${text}" is not a UUID`);
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}
