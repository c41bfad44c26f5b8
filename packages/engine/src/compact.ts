/**
 * Prepares a value for another thread: cloning a view clones the whole memory behind it, so views that show a small
 * part of theirs (of a receive buffer, say) are replaced by copies of that part. Nothing else changes.
 */
export function compactViews<T>(value: T): T {
  return compact(value) as T;
}

function compact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    return value.byteLength * 2 < value.buffer.byteLength ? new Uint8Array(value) : value;
  }
  if (Array.isArray(value)) return value.map(compact);
  if (value instanceof Map) return new Map([...value].map(([key, entry]) => [compact(key), compact(entry)]));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, compact(entry)]));
}
