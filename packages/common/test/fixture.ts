import { readFileSync } from 'node:fs';

/** Recorded facts: inputs with the outputs that DAOS gives for them. */
export function fixture<T>(name: string): T[] {
  const url = new URL(`../../test/fixtures/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { cases: T[] }).cases;
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
