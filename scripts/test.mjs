// npm test: installs, builds and runs all tests of all packages, then the system tests.
import { spawnSync } from 'node:child_process';

import { ROOT, checkNode, ensureBuilt, ensureInstalled } from './lib/workspace.mjs';

checkNode();
ensureInstalled();
ensureBuilt();

const nx = ['node_modules/.bin/nx', 'run-many', '-t', 'test', '--parallel=2', '--outputStyle=static', ...process.argv.slice(2)];
const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true' };
const { status, signal } = spawnSync(process.execPath, nx, { cwd: ROOT, env, stdio: 'inherit' });
process.exit(signal ? 130 : (status ?? 1));
