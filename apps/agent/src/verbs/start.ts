import { DAOS_VERSION, describeError, isFault } from '@daos/control';
import type { VerbContext, VerbResult } from '@daos/control/cli';

import { Agent } from '../agent.js';
import { connectControl, loadSession, openLog } from '../session.js';

/** `daos_agent start`: serves until SIGINT or SIGTERM. */
export async function start(context: VerbContext): Promise<VerbResult> {
  const { config, path } = await loadSession(context);
  const log = await openLog(context, config);
  if (path !== undefined) log.info(`loaded agent config from path: ${path}`);
  const control = connectControl(config);
  let agent: Agent;
  try {
    agent = Agent.start(config, log, control);
  } catch (error) {
    if (config.log_file !== '') log.error(`unable to start dRPC server: ${describeError(error)}`);
    await log.close();
    if (isFault(error)) throw error;
    throw new Error(`unable to start dRPC server: ${describeError(error)}`, { cause: error });
  }
  const ready = `DAOS Agent v${DAOS_VERSION} (pid ${process.pid}) listening on ${agent.socketPath}`;
  log.info(ready);
  if (config.log_file !== '') context.io.printAlways(`${ready}\n`);
  const stopWatching = watchSignals(agent, (text) => log.info(text));
  await aborted(context.signal);
  log.info('stopping');
  stopWatching();
  await agent.stop();
  log.info('stopped');
  await log.close();
  return undefined;
}

/** USR1 closes the handles of this host's processes, USR2 empties the caches. */
function watchSignals(agent: Agent, tell: (text: string) => void): () => void {
  const onUser1 = (): void => {
    tell('SIGUSR1: closing all pool handles of this host');
    void agent.evictAll();
  };
  const onUser2 = (): void => {
    tell('SIGUSR2: caches emptied');
    agent.refresh();
  };
  process.on('SIGUSR1', onUser1).on('SIGUSR2', onUser2);
  return () => void process.off('SIGUSR1', onUser1).off('SIGUSR2', onUser2);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
