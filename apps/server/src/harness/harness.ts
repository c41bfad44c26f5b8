import { networkInterfaces } from 'node:os';

import type { RankSet } from '@daos/control';

import type { EngineConfig } from '../config/engine_config.js';
import { faultInsufficient } from '../config/config_faults.js';
import { faultDataPlaneNotStarted, faultHarnessNotStarted, faultNoEngineRuns } from '../faults.js';
import type { EngineClient } from './engine_client.js';
import { EngineInstance, type InstanceOptions } from './instance.js';

/** Time that engines get to finish in order before they are killed. */
export const STOP_TIMEOUT_MS = 20_000;
const START_WAIT_MS = 10_000;

/** All engines of this host. */
export class Harness {
  readonly instances: readonly EngineInstance[];
  private isStarted = false;

  constructor(engines: readonly EngineConfig[], options: Omit<InstanceOptions, 'fabricHost'>) {
    this.instances = engines.map((config) =>
      new EngineInstance(config, { ...options, fabricHost: interfaceAddress(config.fabricInterface) })
    );
  }

  /** Starts every instance; they go on by themselves. */
  start(): void {
    this.isStarted = true;
    for (const instance of this.instances) instance.start();
  }

  /** Fault 610 before `start`. */
  requireStarted(): void {
    if (!this.isStarted) throw faultHarnessNotStarted();
  }

  /** Stops all engines at once; those that do not end in time are killed. */
  async stop(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.stop('SIGINT', STOP_TIMEOUT_MS)));
    this.isStarted = false;
  }

  instance(index: number): EngineInstance | undefined {
    return this.instances[index];
  }

  /** Instances whose rank is in the set. */
  withRanks(ranks: RankSet): EngineInstance[] {
    return this.instances.filter((instance) => instance.rank !== undefined && ranks.has(instance.rank));
  }

  /**
   * A local engine that is ready, for calls that any engine can serve. Fault 611, which clients try again, while one is
   * starting; another one when none is going to be there by itself.
   */
  readyClient(): EngineClient {
    this.requireStarted();
    const ready = this.instances.find((instance) => instance.state === 'Ready');
    if (ready) return ready.requireClient();
    if (this.instances.some((instance) => instance.state === 'Starting')) throw faultDataPlaneNotStarted();
    throw faultNoEngineRuns(
      this.instances.map(({ index, state, lastError }) =>
        `engine ${index}: ${state}${lastError === '' ? '' : ` (${lastError})`}`
      ).join(', '),
    );
  }

  /**
   * As `readyClient`, but waits a while for an engine that is starting: an administrator's call that comes right behind
   * a start should not have to be tried again.
   */
  async waitReadyClient(timeoutMs = START_WAIT_MS): Promise<EngineClient> {
    this.requireStarted();
    const starting = this.instances.filter((instance) => instance.state === 'Starting');
    const isReady = this.instances.some((instance) => instance.state === 'Ready');
    if (!isReady && starting.length > 0) {
      const leftStarting = (instance: EngineInstance) =>
        instance.waitState(['Ready', 'Stopped', 'AwaitFormat'], timeoutMs);
      await Promise.race(starting.map(leftStarting));
    }
    return this.readyClient();
  }

  /** True when all instances wait for a format. */
  get awaitsFormat(): boolean {
    return this.instances.every((instance) => instance.state === 'AwaitFormat');
  }
}

/** First IPv4 address of an interface. */
function interfaceAddress(name: string): string {
  const found = (networkInterfaces()[name] ?? []).find((address) => address.family === 'IPv4');
  if (!found) {
    const known = Object.keys(networkInterfaces()).join(', ');
    throw faultInsufficient(
      `fabric_iface "${name}" does not exist or has no IPv4 address (this host has: ${known})`,
    );
  }
  return found.address;
}
