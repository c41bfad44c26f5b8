import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LocalSystem, type LocalSystemOptions } from '@daos/local-app';

import { runCommand, type CommandOptions, type CommandResult } from './commands.js';

/** A local system in a temporary folder of its own, with the commands that talk to it. */
export class TempSystem {
  private constructor(
    readonly work: string,
    readonly system: LocalSystem,
  ) {}

  static async start(options: Partial<LocalSystemOptions> = {}): Promise<TempSystem> {
    const work = await mkdtemp(join(tmpdir(), 'daos-test-'));
    const system = new LocalSystem({ dir: join(work, 'system'), ...options });
    const temp = new TempSystem(work, system);
    try {
      await system.start();
    } catch (error) {
      await temp.remove();
      throw error;
    }
    return temp;
  }

  dmg(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand('dmg', 'dmg', ['-o', this.system.controlConfig, ...args], options);
  }

  daos(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand('daos', 'daos', args, { ...options, env: { DAOS_AGENT_DRPC_DIR: this.system.agentDir, ...options.env } });
  }

  async remove(): Promise<boolean> {
    const orderly = await this.system.stop();
    await rm(this.work, { recursive: true, force: true });
    return orderly;
  }
}
