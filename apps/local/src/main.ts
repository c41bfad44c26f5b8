import { relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

import { runDemo } from './demo.js';
import { CONTAINER_LABEL, LocalSystem, POOL_LABEL, type LocalSystemOptions } from './local_system.js';

const EXIT_INTERRUPTED = 130;

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('not a whole number');
  return Number(text);
}

function buildProgram(): Command {
  const program = new Command('daos_local').description('A whole DAOS system on this host, in one folder.');
  program
    .command('start', { isDefault: true })
    .description('run a system in the foreground; Ctrl-C stops it in order')
    .option('--dir <dir>', 'folder of the system: configuration, sockets, logs, data', '.daos')
    .option('--targets <n>', 'targets (threads) per engine, first start only; default 2', wholeNumber)
    .option('--engines <n>', 'engines (processes), first start only; default 1', wholeNumber)
    .option('--port <port>', 'TCP port of the control plane; default: a free one', wholeNumber)
    .option('--fabric-port <port>', 'first TCP port of the engines; default: a free range', wholeNumber)
    .action((options: LocalSystemOptions) => startCommand(options));
  program
    .command('demo')
    .description('copy a folder in, kill every process, restart, copy it out and compare')
    .argument('<folder>', 'folder to copy')
    .option('--keep', 'keep the temporary folder')
    .action(async (folder: string, options: { keep?: boolean }) => {
      process.exitCode = await runDemo(folder, options);
    });
  return program;
}

async function startCommand(options: LocalSystemOptions): Promise<void> {
  const started = Date.now();
  const system = new LocalSystem({ ...options, onStep: (step) => process.stdout.write(`  ${step}\n`) });
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve('interrupted'));
  });
  const starting = system.start();
  if ((await Promise.race([starting, interrupted])) === 'interrupted') {
    await starting.catch(() => undefined);
    await stopSystem(system);
    process.exitCode = EXIT_INTERRUPTED;
    return;
  }
  printReady(system, Date.now() - started);
  const reason = await Promise.race([interrupted, system.unexpectedExit()]);
  if (reason !== 'interrupted') process.stderr.write(`ERROR: ${reason}\n`);
  const orderly = await stopSystem(system);
  process.exitCode = reason === 'interrupted' && orderly ? 0 : 1;
}

async function stopSystem(system: LocalSystem): Promise<boolean> {
  process.stdout.write('\nStopping ... ');
  const orderly = await system.stop();
  process.stdout.write(orderly ? 'stopped\n' : 'stopped, but not in order: see the logs\n');
  return orderly;
}

function printReady(system: LocalSystem, ms: number): void {
  const folder = system.folder.dir;
  const isDefault = relative(process.cwd(), folder) === '.daos';
  const dmgOption = isDefault ? '' : ` -o ${shellWord(system.controlConfig)}`;
  const agentEnv = isDefault ? '' : `DAOS_AGENT_DRPC_DIR=${shellWord(system.agentDir)} `;
  process.stdout.write(
    [
      `DAOS system ready in ${(ms / 1000).toFixed(1)} s: pool ${POOL_LABEL}, container ${CONTAINER_LABEL}, data in ${folder}`,
      'Try in another shell, from this folder:',
      `  npx dmg${dmgOption} pool query ${POOL_LABEL}`,
      `  ${agentEnv}npx daos filesystem copy --src docs --dst daos://${POOL_LABEL}/${CONTAINER_LABEL}/docs`,
      `  ${agentEnv}npx daos container query ${POOL_LABEL} ${CONTAINER_LABEL}`,
      'Ctrl-C stops it; the data stays for the next start.',
      '',
    ].join('\n'),
  );
}

function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.stderr.write(`ERROR: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
