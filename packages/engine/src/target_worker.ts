/** Thread of one target. Started by the system xstream with `TargetStart` as its data. */
import { parentPort, workerData } from 'node:worker_threads';

import { cartListen, targetTag } from '@daos/cart';
import { Hlc } from '@daos/common';
import { assert, configureLogging } from '@daos/gurt';

import { EngineFacts, type EngineConstants } from './engine_facts.js';
import { serveLifecycle } from './lifecycle.js';
import { loadModules } from './module_list.js';
import { plainError, type PlainError } from './plain_error.js';
import { ThreadLink } from './thread_link.js';
import type { ModuleSpecifier } from './types.js';
import { SYSTEM, XstreamBase } from './xstream_base.js';

export interface TargetStart {
  readonly target: number;
  readonly constants: EngineConstants;
  readonly modules: readonly ModuleSpecifier[];
  readonly host: string;
  /** Port of this target's tag. */
  readonly port: number;
}

/** First message of the thread: undefined when it is ready, else why it is not. */
export interface TargetStarted {
  readonly kind: 'started';
  readonly error: PlainError | undefined;
}

/** Thread ids in log lines: 0 to 2 are the system's. */
const FIRST_TARGET_THREAD = 3;

class TargetXstream extends XstreamBase {
  readonly kind = 'target';
  link: ThreadLink | undefined;

  protected runOn(to: number, name: string, args: unknown): Promise<unknown> {
    if (to === this.target) return this.runHere(name, args);
    assert(this.link, 'the link to the system xstream is there before modules start');
    // Other targets are reached through the system xstream.
    return this.link.call(to, name, args);
  }
}

async function main(): Promise<void> {
  const port = parentPort;
  assert(port, 'a target runs in a thread of its own');
  const start = workerData as TargetStart;
  configureLogging({ threadId: FIRST_TARGET_THREAD + start.target });
  try {
    const modules = await loadModules(start.modules);
    const hlc = new Hlc();
    const cart = await cartListen({
      host: start.host, port: start.port, tag: targetTag(start.target), hlc, closedAtFirst: true,
    });
    const xs = new TargetXstream(start.target, new EngineFacts(start.constants), hlc, cart);
    serveLifecycle(xs);
    xs.link = new ThreadLink(port, (to, name, args) => {
      assert(to === xs.target || to === SYSTEM, `operation for xstream ${to} came to target ${xs.target}`);
      return xs.runHere(name, args);
    });
    await xs.modules.start(xs, modules);
    port.postMessage({ kind: 'started', error: undefined } satisfies TargetStarted);
  } catch (error) {
    port.postMessage({ kind: 'started', error: plainError(error) } satisfies TargetStarted);
    process.exit(1);
  }
}

await main();
