// Builds the addon from source when its sources, or what they are built for, have changed.
// Usage: node packages/native/scripts/build.mjs [--force]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const ADDON = join(ROOT, 'build', 'Release', 'daos_native.node');
const STAMP = join(ROOT, 'build', 'stamp');

/** Changes whenever the result would: sources, build description, platform. N-API: not with Node's version. */
function stampNow() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  const sources = readdirSync(join(ROOT, 'src', 'cc')).sort().map((name) => join('src', 'cc', name));
  for (const name of ['binding.gyp', join('scripts', 'build.mjs'), ...sources]) {
    hash.update(`${name}\n`).update(readFileSync(join(ROOT, name)));
  }
  return hash.digest('hex');
}

function isOnPath(command) {
  if (command.includes('/')) return existsSync(command);
  return (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, command)));
}

/** What a build needs and this machine lacks, in words for the user. */
function missingTools() {
  const compiler = (process.env.CXX ?? 'g++').split(' ')[0];
  const needed = [
    ['Python 3 (python3)', isOnPath(process.env.PYTHON ?? 'python3')],
    ['make (make)', isOnPath('make')],
    [`a C++ compiler (${compiler})`, isOnPath(compiler) || (!process.env.CXX && (isOnPath('c++') || isOnPath('clang++')))],
  ];
  return needed.filter(([, found]) => !found).map(([name]) => name);
}

/** Folder of Node's headers: as configured, else beside the running binary; undefined lets node-gyp fetch them. */
function headersDir() {
  const beside = join(dirname(process.execPath), '..');
  const candidates = [process.env.npm_config_nodedir, process.config.variables.nodedir, beside];
  return candidates.find((dir) => dir && existsSync(join(dir, 'include', 'node', 'node_api.h')));
}

function main() {
  const stamp = stampNow();
  const force = process.argv.includes('--force');
  if (!force && existsSync(ADDON) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return 0;
  const missing = missingTools();
  if (missing.length > 0) {
    console.error(`The native addon needs ${missing.join(' and ')}: on Debian or Ubuntu, apt-get install python3 make g++; on Fedora, dnf install python3 make gcc-c++.`);
    return 1;
  }
  const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  const nodedir = headersDir();
  const steps = force ? ['rebuild'] : ['configure', 'build'];
  const args = [gyp, ...steps, '--release', '--loglevel=error', ...(nodedir ? [`--nodedir=${nodedir}`] : [])];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) {
    console.error(`${stdout}${stderr}\nThe native addon could not be built (packages/native); the compiler's output is above.`);
    return 1;
  }
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, stamp);
  return 0;
}

process.exitCode = main();
