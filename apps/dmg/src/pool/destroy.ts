import { ContextError, describeError, poolDestroy, poolEvict, type ControlClient } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { SetupFailure, poolArgument, withControl } from '../session.js';

/** `dmg pool destroy`. */
export async function runDestroy(context: VerbContext): Promise<VerbResult> {
  const { recursive, force } = context.options;
  return runNamed(context, 'destroy', (client, id) => poolDestroy(client, id, { recursive: recursive === true, force: force === true }));
}

/** `dmg pool evict`. */
export async function runEvict(context: VerbContext): Promise<VerbResult> {
  return runNamed(context, 'evict', (client, id) => poolEvict(client, id));
}

async function runNamed(context: VerbContext, verb: string, work: (client: ControlClient, id: string) => Promise<unknown>): Promise<VerbResult> {
  const id = poolArgument(context);
  try {
    await withControl(context, (client) => work(client, id));
  } catch (error) {
    if (error instanceof SetupFailure) throw error.failure;
    const failure = new ContextError(`pool ${verb} failed`, error);
    context.io.print(`Pool-${verb} command failed: ${describeError(failure)}\n`);
    throw failure;
  }
  context.io.print(`Pool-${verb} command succeeded\n`);
  return undefined;
}
