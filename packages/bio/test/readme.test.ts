import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BioFile, DeviceRole, DeviceSet, SmdDb, deviceFolderFormat, smdAssign } from '../src/index.js';

it('runs the example of the README', async () => {
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  const dir = await mkdtemp(join(tmpdir(), 'bio-readme-'));
  const printed: string[] = [];
  const console = { log: (line: string) => printed.push(line) };
  const names = { BioFile, DeviceRole, DeviceSet, SmdDb, deviceFolderFormat, smdAssign, dir, console };
  const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (...args: string[]) => (...values: unknown[]) => Promise<{ smd: SmdDb; file: BioFile }>;
  const { smd, file } = await new AsyncFunction(...Object.keys(names), `${code}\nreturn { smd, file };`)(...Object.values(names));
  await expect(file.read(8192, 1)).rejects.toMatchObject({ der: 'NVME_IO' });
  await file.close();
  await smd.close();
  await rm(dir, { recursive: true });
  expect(printed).toEqual(['headerbody', 'stateChanged']);
});
