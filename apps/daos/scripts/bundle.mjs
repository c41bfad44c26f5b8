import { fileURLToPath } from 'node:url';

import { bundleCli } from '../../../packages/control/scripts/bundle_cli.mjs';

await bundleCli(fileURLToPath(new URL('..', import.meta.url)));
