import type { TlsKey } from './types.js';

/** Names state that the modules of one xstream share; `T` is its type. */
export function tlsKey<T>(name: string): TlsKey<T> {
  return { name };
}
