// npm run clean: removes what the build made. The folder of a local system (.daos) stays.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './lib/workspace.mjs';

for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(join(ROOT, group))) {
    for (const made of ['dist', 'build']) rmSync(join(ROOT, group, name, made), { recursive: true, force: true });
  }
}
for (const path of ['tests/dist', '.nx', 'node_modules/.cache']) rmSync(join(ROOT, path), { recursive: true, force: true });
