import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { IodType, uuidGenerate } from '@daos/common';

import { vosPoolCreate, vosPoolOpen } from '../src/index.js';

it('runs the example of the README', async () => {
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const dir = await mkdtemp(join(tmpdir(), 'vos-readme-'));
  const printed: string[] = [];
  const names = { vosPoolCreate, vosPoolOpen, IodType, dir, uuid: uuidGenerate(), console: { log: (line: string) => printed.push(line) } };
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (...args: string[]) => (...values: unknown[]) => Promise<void>;
  await new AsyncFunction(...Object.keys(names), code)(...Object.values(names));
  await rm(dir, { recursive: true });
  expect(printed).toEqual(['hello']);
});
