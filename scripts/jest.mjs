// Runs jest on the compiled tests of the package in the current folder (or of the workspace root).
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const jestBin = createRequire(import.meta.url).resolve('jest/bin/jest');
const config = JSON.stringify({
  rootDir: process.cwd(),
  testEnvironment: 'node',
  testMatch: ['<rootDir>/dist/test/**/*.test.js'],
  testTimeout: 30_000,
  transform: {},
});
const args = ['--experimental-vm-modules', '--no-warnings', jestBin, '--config', config, '--passWithNoTests', ...process.argv.slice(2)];
const { status, signal } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exit(signal ? 1 : (status ?? 1));
