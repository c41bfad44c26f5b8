import { DaosError, type KeyFlavour } from '@daos/common';

/**
 * Keys as text. Printable keys are text; `text{len}` is text that zeros fill up to `len` bytes; `{uint8: N}`,
 * `{uint16: N}`, `{uint32: N}`, `{uint64: N}` are little-endian numbers, decimal or 0x-hexadecimal; `{bin: 0xHH..}`
 * (or `{bin(len): 0xHH..}`) is any other byte string. A backslash takes the meaning from the character after it.
 */
const INTEGER_BYTES: Readonly<Record<string, number>> = { uint8: 1, uint16: 2, uint32: 4, uint64: 8 };
const TYPED_RE = /^\{\s*([a-z0-9]+)\s*(?:\((\d{1,6})\))?\s*:\s*([0-9a-zA-Z]+)\s*\}$/;
/** Bytes of a key with a length or in hexadecimal: the longest that VOS takes. */
const KEY_BYTES_MAX = 8192;
const ESCAPED_RE = /[/{}\\]/g;

/** Bytes of a key's text. DER_INVAL when the text follows none of the forms. */
export function keyParse(text: string): Uint8Array {
  if (text === '') throw invalidKey(text, 'it is empty');
  if (text.startsWith('{')) return typedKey(text);
  return textKey(text);
}

/** Text of a key that `keyParse` turns into the same bytes. */
export function keyFormat(key: Uint8Array, flavour: KeyFlavour = 'hashed'): string {
  const text = printable(key);
  if (text !== undefined && flavour !== 'uint64') {
    const escaped = text.replace(ESCAPED_RE, '\\$&').replace(/^\[/, '\\[');
    return text.length === key.length ? escaped : `${escaped}{${key.length}}`;
  }
  const type = Object.keys(INTEGER_BYTES).find((name) => INTEGER_BYTES[name] === key.length);
  if (type) return `{${type}:0x${Buffer.from(key).reverse().toString('hex').replace(/^0+(?=.)/, '')}}`;
  return `{bin(${key.length}):0x${Buffer.from(key).toString('hex')}}`;
}

/** The key as text without the zeros at its end; undefined when it has none or other characters. */
function printable(key: Uint8Array): string | undefined {
  let length = key.length;
  while (length > 0 && key[length - 1] === 0) length--;
  if (length === 0) return undefined;
  for (let i = 0; i < length; i++) {
    const byte = key[i] as number;
    if (byte < 0x20 || byte > 0x7e) return undefined;
  }
  return Buffer.from(key.subarray(0, length)).toString('latin1');
}

function typedKey(text: string): Uint8Array {
  const match = TYPED_RE.exec(text);
  const type = match?.[1] ?? '';
  const value = match?.[3] ?? '';
  if (type === 'bin') return binaryKey(text, value, match?.[2]);
  const bytes = INTEGER_BYTES[type];
  if (bytes === undefined || match?.[2] !== undefined) {
    throw invalidKey(text, 'expected {uint8|uint16|uint32|uint64: N} or {bin: 0xHH}');
  }
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(value)) throw invalidKey(text, `"${value}" is no number`);
  const number = BigInt(value.replace(/^0X/, '0x'));
  if (number >> BigInt(8 * bytes) !== 0n) throw invalidKey(text, `the number does not fit ${type}`);
  const key = Buffer.alloc(8);
  key.writeBigUInt64LE(number);
  return key.subarray(0, bytes);
}

function binaryKey(text: string, value: string, length: string | undefined): Uint8Array {
  const digits = /^0x((?:[0-9a-f]{2})+)$/i.exec(value)?.[1];
  if (digits === undefined) throw invalidKey(text, 'expected 0x and pairs of hexadecimal digits');
  const key = Buffer.from(digits, 'hex');
  if (key.length > KEY_BYTES_MAX) throw invalidKey(text, `it is longer than ${KEY_BYTES_MAX} bytes`);
  if (length !== undefined && Number(length) !== key.length) {
    throw invalidKey(text, `${key.length} bytes are given for a length of ${length}`);
  }
  return key;
}

function textKey(text: string): Uint8Array {
  let plain = '';
  let at = 0;
  for (; at < text.length && text[at] !== '{'; at++) {
    if (text[at] === '}') throw invalidKey(text, 'write \\} for a brace that belongs to the key');
    if (text[at] === '\\') at++;
    if (at === text.length) throw invalidKey(text, 'nothing follows the last backslash');
    plain += text.charAt(at);
  }
  const bytes = Buffer.from(plain);
  if (at === text.length) return bytes;
  const size = /^\{(\d{1,6})\}$/.exec(text.slice(at))?.[1];
  if (size === undefined) throw invalidKey(text, 'expected a length, as in text{5}, or \\{ for a brace');
  const length = Number(size);
  if (length < bytes.length || length > KEY_BYTES_MAX) {
    throw invalidKey(text, `a length of ${length}; give ${bytes.length} to ${KEY_BYTES_MAX}`);
  }
  const key = Buffer.alloc(length);
  bytes.copy(key);
  return key;
}

function invalidKey(text: string, why: string): DaosError {
  return new DaosError('INVAL', `invalid key "${text}": ${why}`);
}
