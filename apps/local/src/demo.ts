import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CONTAINER_LABEL, LocalSystem, POOL_LABEL } from './local_system.js';
import { compareTrees, treeSize, type TreeSize } from './tree.js';

const DAOS_COMMAND = resolve(fileURLToPath(import.meta.url), '../../../../daos/bin/daos.mjs');
const MB = 1e6;

/**
 * The main job as one program: copies a folder into a new system, kills every process with SIGKILL, starts the
 * system again, copies the folder out and compares. Returns the exit code: 0 only when both trees are equal.
 */
export async function runDemo(source: string, options: { keep?: boolean }): Promise<number> {
  const folder = resolve(source);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw new Error(`${source} is not a folder; give a folder to copy`);
  const work = await mkdtemp(join(tmpdir(), 'daos-demo-'));
  const demo = new Demo(folder, work);
  const onSignal = () => demo.interrupt();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await demo.run();
  } finally {
    await demo.cleanUp(options.keep === true);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

class Demo {
  private readonly controller = new AbortController();
  private system: LocalSystem | undefined;

  constructor(
    private readonly source: string,
    private readonly work: string,
  ) {}

  interrupt(): void {
    this.controller.abort(new Error('interrupted'));
  }

  async run(): Promise<number> {
    const size = await treeSize(this.source);
    say(`Source: ${this.source}: ${size.files} files, ${size.folders} folders, ${size.symlinks} symlinks, ${(size.bytes / MB).toFixed(1)} MB`);
    const inside = `daos://${POOL_LABEL}/${CONTAINER_LABEL}/${basename(this.source)}`;
    const outside = join(this.work, 'out');

    await this.startSystem('Starting a DAOS system');
    await this.copy('Copied in ', size, this.source, inside);
    say('Killing every process with SIGKILL');
    await this.system?.killAll();
    await this.startSystem('Starting it again on the same storage');
    await this.copy('Copied out', size, inside, outside);
    return this.compare(outside, size);
  }

  async cleanUp(keep: boolean): Promise<void> {
    await this.system?.stop();
    if (keep) say(`Kept ${this.work}`);
    else await rm(this.work, { recursive: true, force: true });
  }

  private async startSystem(title: string): Promise<void> {
    this.controller.signal.throwIfAborted();
    const started = Date.now();
    this.system ??= new LocalSystem({ dir: join(this.work, 'system') });
    await this.system.start();
    say(`${title}: ready in ${seconds(started)} s`);
  }

  private async copy(title: string, size: TreeSize, from: string, to: string): Promise<void> {
    const started = Date.now();
    await this.daos(['filesystem', 'copy', '--src', from, '--dst', to]);
    const elapsed = (Date.now() - started) / 1000;
    say(`${title}: ${size.files} files, ${size.bytes} bytes in ${elapsed.toFixed(2)} s = ${(size.bytes / MB / elapsed).toFixed(1)} MB/s`);
  }

  private async compare(outside: string, size: TreeSize): Promise<number> {
    this.controller.signal.throwIfAborted();
    const copied = join(outside, basename(this.source));
    const result = (await stat(copied).catch(() => undefined)) ? copied : outside;
    const differences = await compareTrees(this.source, result);
    for (const difference of differences) say(difference);
    say(differences.length === 0 ? `EQUAL: names, modes, symlinks and contents of all ${size.files} files` : 'DIFFERENT: see the lines above');
    return differences.length === 0 ? 0 : 1;
  }

  /** Runs the `daos` command; its progress bar goes to the terminal. */
  private daos(args: string[]): Promise<void> {
    return new Promise((done, fail) => {
      const child = spawn(process.execPath, [DAOS_COMMAND, ...args], {
        stdio: ['ignore', 'pipe', process.stderr.isTTY ? 'inherit' : 'pipe'],
        env: { ...process.env, DAOS_AGENT_DRPC_DIR: this.system?.agentDir ?? '' },
        signal: this.controller.signal,
      });
      const output: Buffer[] = [];
      child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
      child.stderr?.on('data', (chunk: Buffer) => output.push(chunk));
      child.once('error', fail);
      child.once('exit', (code) => {
        if (code === 0) done();
        else fail(new Error(`daos ${args.join(' ')} ended with code ${code}:\n${Buffer.concat(output).toString()}`));
      });
    });
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1);
}
