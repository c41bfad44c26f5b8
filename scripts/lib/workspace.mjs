// What every entry script does first: have the dependencies installed and the sources built. Runs in an empty clone,
// so it uses nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'daos');
/** Oldest release of each line that the build tools and `zlib.crc32` need; later lines are all new enough. */
const NODE_MINOR_MIN = { 20: 17, 22: 9 };
const NODE_MAJOR_MIN = 20;
const SOURCE_ROOTS = ['packages', 'apps', 'tests', 'proto', 'scripts'];
const SOURCE_FILE = /\.(ts|mjs|cjs|cc|h|gyp|json|proto)$/;
const NOT_SOURCE = new Set(['node_modules', 'dist', 'build', '.nx', 'coverage']);

/** Prints one step of the set-up with its duration. */
export function step(title, run) {
  const started = Date.now();
  process.stdout.write(`${title} ... `);
  const result = run();
  process.stdout.write(`${result ?? 'done'} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
}

/** One clear line, then out. */
export function fail(message) {
  process.stderr.write(`\nERROR: ${message}\n`);
  process.exit(1);
}

/** Runs a command of the set-up; its output is shown only when it fails, or always with `DAOS_VERBOSE=1`. */
export function run(command, args, { what, env = {}, cwd = ROOT } = {}) {
  const verbose = process.env.DAOS_VERBOSE === '1';
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: verbose ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 << 20,
  });
  if (result.error) fail(`${what}: cannot run ${command}: ${result.error.message}`);
  if (result.signal) process.exit(130);
  if (result.status !== 0) {
    if (!verbose) process.stderr.write(`\n${result.stdout}${result.stderr}`);
    fail(`${what} failed; see the lines above`);
  }
}

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const tooOld = major < NODE_MAJOR_MIN || major === 21 || minor < (NODE_MINOR_MIN[major] ?? 0);
  if (tooOld) fail(`Node.js ${process.versions.node} is too old: install 20.17 or later, 22.9 or later, or 24`);
}

/** Installs what package-lock.json lists, once per content of that file. */
export function ensureInstalled() {
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).update(String(process.platform)).update(process.arch).digest('hex');
  const stamp = join(CACHE, 'installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  step('Installing dependencies', () => {
    const npm = process.env.npm_execpath;
    const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts'];
    if (npm) run(process.execPath, [npm, ...args], { what: 'npm ci' });
    else run('npm', args, { what: 'npm ci' });
  });
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Builds the native addon, all packages and the bundled commands, when a source changed since the last build. */
export function ensureBuilt() {
  const wanted = sourceFingerprint();
  const stamp = join(CACHE, 'built');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(ROOT, 'apps/server/dist'))) return;
  build();
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(stamp, wanted);
}

/** The whole build, step by step. Each step is incremental. */
export function build() {
  step('Building the native addon', () => run(process.execPath, ['packages/native/scripts/build.mjs'], { what: 'native addon' }));
  step('Compiling', () => run(process.execPath, ['node_modules/typescript/bin/tsc', '-b'], { what: 'tsc' }));
  const bundlers = ['apps', 'packages'].flatMap((group) =>
    readdirSync(join(ROOT, group))
      .map((name) => join(group, name, 'scripts', 'bundle.mjs'))
      .filter((path) => existsSync(join(ROOT, path))),
  );
  if (bundlers.length > 0) {
    step('Bundling the commands', () => {
      for (const path of bundlers) run(process.execPath, [path], { what: path });
    });
  }
}

/** Changes when any source file is added, removed or modified. Node's major version counts: addons depend on it. */
function sourceFingerprint() {
  const hash = createHash('sha256').update(process.versions.modules);
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (NOT_SOURCE.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (SOURCE_FILE.test(entry.name)) {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${relative(ROOT, path)}\0${size}\0${mtimeMs}\n`);
      }
    }
  };
  for (const folder of SOURCE_ROOTS) if (existsSync(join(ROOT, folder))) visit(join(ROOT, folder));
  for (const file of ['tsconfig.base.json', 'package-lock.json']) {
    const { size, mtimeMs } = statSync(join(ROOT, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}
