// npm run vectors -- DIR: checks recorded inputs and outputs of the real system, one JSON file per family, against our
// code. Prints `FAMILY: N passed, M failed` per file; the first mismatches go to stderr. Fails when anything differs or
// a file cannot be read; families that nothing of ours can be checked against are named and pass. `--no-build` takes
// what is built, current or not.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { checkNode, ensureBuilt, ensureInstalled, fail } from './lib/workspace.mjs';

/** Mismatches of a family that are shown. */
const SHOWN_MAX = 3;
const TEXT_MAX = 400;
/** Modules in ./vectors; each exports `families`: name of a file -> list of checks of its parsed content. */
const MODULES = ['acl', 'checksums', 'drpc', 'hashing', 'hlc', 'objects', 'placement', 'pool_map'];
const WITHOUT_CODE = { 'erasure-code': 'the erasure code does not exist yet' };

checkNode();
const [dir, ...rest] = process.argv.slice(2);
const isBuilt = rest[0] === '--no-build';
if (!dir || dir.startsWith('-') || rest.length > (isBuilt ? 1 : 0)) fail('usage: npm run vectors -- DIR [--no-build]');
if (!existsSync(dir) || !statSync(dir).isDirectory()) fail(`${dir} is not a folder`);
const files = readdirSync(dir).filter((name) => name.endsWith('.json')).sort();
if (files.length === 0) fail(`no vector files (*.json) in ${dir}`);
if (!isBuilt) {
  ensureInstalled();
  ensureBuilt();
}

const families = {};
for (const name of MODULES) Object.assign(families, (await import(`./vectors/${name}.mjs`)).families);
let bad = 0;
for (const file of files) if (!checkFile(join(resolve(dir), file))) bad++;
process.exitCode = bad > 0 ? 1 : 0;

/** Checks one file; false when something is wrong with it. */
function checkFile(path) {
  const name = basename(path, '.json');
  const run = families[name];
  if (!run) {
    process.stdout.write(`${name}: not checked, ${WITHOUT_CODE[name] ?? 'unknown family'}\n`);
    return true;
  }
  let checks;
  try {
    const data = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(data?.cases)) throw new Error('it has no list "cases"');
    checks = run(data);
  } catch (error) {
    process.stderr.write(`${name}: ${path} is not a file of ${name} vectors: ${error.message}\n`);
    return false;
  }
  const { passed, failed } = checkCases(name, checks);
  process.stdout.write(`${name}: ${passed} passed, ${failed} failed\n`);
  return failed === 0;
}

function checkCases(name, checks) {
  let passed = 0;
  let failed = 0;
  for (const { what, check } of checks) {
    const mismatch = mismatchOf(check);
    if (mismatch === undefined) {
      passed++;
      continue;
    }
    if (++failed <= SHOWN_MAX) process.stderr.write(`${name}: ${short(what)}: ${mismatch}\n`);
  }
  return { passed, failed };
}

/** `check` returns pairs of what was recorded and what we compute. */
function mismatchOf(check) {
  try {
    const { want, got } = check();
    const [wanted, found] = [canonical(want), canonical(got)];
    return wanted === found ? undefined : `recorded ${short(wanted)}, computed ${short(found)}`;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

/** JSON whose objects list their fields in one order. */
function canonical(value) {
  const isPlain = (one) => typeof one === 'object' && one !== null && !Array.isArray(one);
  return JSON.stringify(value ?? null, (_, one) => (isPlain(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one));
}

function short(text) {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}...` : text;
}
