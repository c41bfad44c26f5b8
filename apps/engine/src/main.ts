import { writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { isDaosError } from '@daos/common';
import { startEngine, type RunningEngine } from '@daos/engine';
import { configureLogging, getLogger } from '@daos/gurt';

import { engineOptions } from './options.js';

const log = getLogger('server');
/** DAOS's release whose protocols this engine speaks. */
const VERSION = '2.9.100';
/** An orderly stop that takes longer than this is given up. */
const STOP_TIMEOUT_MS = 120_000;
const START_GRACE_MS = 5_000;

/** One line on standard error (daos_server puts it into its log), and the same in the engine's log. */
function complain(error: unknown): void {
  const text = isDaosError(error) ? error.message : ((error as Error)?.stack ?? String(error));
  log.crit(text);
  process.stderr.write(`daos_engine: ${isDaosError(error) ? error.message : ((error as Error)?.message ?? text)}\n`);
}

/** The engine goes when whoever started it is gone, so that no engine holds the storage on its own. */
function watchParent(stop: (why: string) => void): void {
  if (process.env['DAOS_ENGINE_PARENT_WATCH'] !== '1') return;
  process.stdin.on('end', () => stop('daos_server is gone'));
  process.stdin.on('error', () => stop('daos_server is gone'));
  process.stdin.resume();
}

/** One line for daos_server's log, as DAOS's engine prints it. */
function announce(engine: RunningEngine): void {
  const { rank, targetCount } = engine.xs.engine;
  process.stdout.write(`DAOS I/O Engine (v${VERSION}) process ${process.pid} started on rank ${rank} with ` +
    `${targetCount} target${targetCount === 1 ? '' : 's'}, 0 helper XS, firstcore 0, host ${hostname()}.\n`);
}

/** Writes the state of all threads to a file in the temporary folder; the engine goes on. */
function dumpState(): void {
  const now = new Date();
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}_${two(now.getMinutes())}_${two(now.getSeconds())}`;
  const path = join(tmpdir(), `daos_dump_${process.pid}_${day}_${time}.txt`);
  const report = process.report.getReport() as Record<string, unknown>;
  delete report['environmentVariables'];
  try {
    writeFileSync(path, JSON.stringify(report, undefined, 2), { mode: 0o600, flag: 'wx' });
    log.note(`state of all threads written to ${path}`);
  } catch (error) {
    log.error(`cannot write ${path}: ${(error as Error).message}`);
  }
}

async function main(): Promise<number> {
  process.umask(0o002);
  // daos_server logs at INFO unless told otherwise; threads read the same variable.
  process.env['D_LOG_MASK'] ||= 'INFO';
  configureLogging({ mask: process.env['D_LOG_MASK'] });
  const options = engineOptions(process.argv.slice(2), process.env);

  let engine: RunningEngine | undefined;
  let asked: string | undefined;
  let stopNow: (() => void) | undefined;
  const stopAsked = new Promise<void>((resolve) => (stopNow = resolve));
  const stop = (why: string): void => {
    if (asked !== undefined) return;
    asked = why;
    log.info(`${why}, shutting down`);
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    // Nothing was served yet: there is nothing to lose when starting does not come to an end.
    if (!engine) setTimeout(() => engine ?? process.exit(0), START_GRACE_MS).unref();
    stopNow?.();
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGUSR1', dumpState);
  process.on('SIGUSR2', dumpState);
  process.on('SIGPIPE', () => undefined);
  watchParent(stop);

  try {
    const started = await startEngine(options);
    engine = started;
    void started.ready.then(() => announce(started));
    await Promise.race([stopAsked, engine.ended]);
    await engine.stop();
    return 0;
  } catch (error) {
    if (asked !== undefined && !engine) return 0;
    complain(error);
    return 1;
  }
}

main().then((code) => process.exit(code), (error: unknown) => {
  complain(error);
  process.exit(1);
});
