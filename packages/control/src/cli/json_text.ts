/** Marks a 64-bit number inside JSON text until it is written without quotes. */
const MARK = '\u0001n';

/**
 * JSON indented by two blanks, as the tools print it. `bigint` values are written as plain numbers (64-bit values of
 * the control plane exceed what a JavaScript number holds), bytes as base64.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, replace, 2);
  return text.replaceAll(/"\\u0001n(-?\d+)"/g, '$1');
}

function replace(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${MARK}${value}`;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  // Buffers turn into objects before a replacer sees them.
  const original = (this as Record<string, unknown>)[key];
  return original instanceof Uint8Array ? Buffer.from(original).toString('base64') : value;
}
