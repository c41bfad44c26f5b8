// Rebuilds src/gen from /proto: `npm run generate`. Works offline; the buf binary comes with its npm package.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const buf = join(dirname(require.resolve('@bufbuild/buf/package.json')), 'bin', 'buf');
const input = join(folder, '..', '..', 'proto');

execFileSync(process.execPath, [buf, 'generate', input, '--template', 'buf.gen.yaml'], { cwd: folder, stdio: 'inherit' });
