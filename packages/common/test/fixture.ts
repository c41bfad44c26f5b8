import { readFileSync } from 'node:fs';

/** A file of recorded facts: inputs with the outputs that DAOS gives for them. */
export function vectors<T>(name: string): T {
  const url = new URL(`../../../../tests/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

/** The cases of such a file. */
export function fixture<T>(name: string): T[] {
  return vectors<{ cases: T[] }>(name).cases;
}

/** Byte pattern that the fixtures are computed over. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let j = 0; j < length; j++) bytes[j] = (11 * j + 7 * Math.floor(j / 256) + 5) & 0xff;
  return bytes;
}

export function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
