import { DaosError } from '@daos/common';
import { getLogger } from '@daos/gurt';

import type { EngineModule, ModuleInstance, ModuleSpecifier, Xstream } from './types.js';

const log = getLogger('server');
const NAME_LENGTH_MAX = 32;

/** Imports modules. Throws DER_INVAL when one is missing, is no module, or has the name or id of another. */
export async function loadModules(specifiers: readonly ModuleSpecifier[]): Promise<EngineModule[]> {
  const modules: EngineModule[] = [];
  for (const { url, exportName } of specifiers) {
    const exports = (await import(url)) as Record<string, unknown>;
    const module = exports[exportName] as EngineModule | undefined;
    if (typeof module?.start !== 'function' || typeof module.name !== 'string') {
      throw new DaosError('INVAL', `${url} exports no engine module "${exportName}"`);
    }
    if (module.name.length > NAME_LENGTH_MAX) throw new DaosError('INVAL', `module name "${module.name}" is too long`);
    const twin = modules.find((other) => other.name === module.name || other.id === module.id);
    if (twin) throw new DaosError('INVAL', `modules ${twin.name} and ${module.name} share a name or id`);
    modules.push(module);
  }
  return modules;
}

interface Started {
  readonly name: string;
  readonly instance: ModuleInstance;
}

/** The modules of one xstream, in the order in which they were started. */
export class ModuleList {
  private readonly started: Started[] = [];

  /** Starts modules in order. When one fails, those before it are ended again and the error is thrown. */
  async start(xs: Xstream, modules: readonly EngineModule[]): Promise<void> {
    for (const module of modules) {
      try {
        this.started.push({ name: module.name, instance: await module.start(xs) });
      } catch (error) {
        await this.fini();
        throw named(module.name, 'start', error);
      }
    }
  }

  /** In order; the first error is thrown. */
  async setup(): Promise<void> {
    for (const { name, instance } of this.started) {
      try {
        await instance.setup?.();
      } catch (error) {
        throw named(name, 'setup', error);
      }
    }
  }

  /** In reverse order; errors are logged. */
  async cleanup(): Promise<void> {
    await this.reverse('cleanup');
  }

  /** In reverse order; errors are logged. */
  async fini(): Promise<void> {
    await this.reverse('fini');
    this.started.length = 0;
  }

  private async reverse(step: 'cleanup' | 'fini'): Promise<void> {
    for (const { name, instance } of [...this.started].reverse()) {
      try {
        await instance[step]?.();
      } catch (error) {
        log.error(`module ${name}: ${step} failed: ${(error as Error)?.stack ?? String(error)}`);
      }
    }
  }
}

function named(name: string, step: string, error: unknown): Error {
  if (error instanceof DaosError) return new DaosError(error.der, `module ${name}: ${step}: ${error.detail}`, { cause: error });
  return new Error(`module ${name}: ${step}: ${(error as Error)?.message ?? String(error)}`, { cause: error });
}
