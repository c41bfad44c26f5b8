import { readFile } from 'node:fs/promises';

import { VEA_BLOCK_BYTES, Vea, VeaIoStream } from '../src/index.js';
import { MemoryStore } from './memory_store.js';

it('runs the example of the README', async () => {
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const written: number[] = [];
  const store = new MemoryStore();
  const file = { write: (offset: number) => Promise.resolve(written.push(offset)) };
  const names = { VEA_BLOCK_BYTES, Vea, VeaIoStream, store, file, data: new Uint8Array(300 * 4096) };
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (...args: string[]) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction(...Object.keys(names), code)(...Object.values(names));
  expect(Vea.load(store).freeBlocks).toBe(100_000 - 300);
  expect(store.rows.hints.get(VeaIoStream.GENERIC)).toEqual({ offset: (written[0] ?? 0) / 4096 + 300, sequence: 1 });
});
