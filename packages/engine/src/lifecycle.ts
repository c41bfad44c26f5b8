import type { GroupMember } from '@daos/cart';
import { configureLogging } from '@daos/gurt';

import type { XstreamBase } from './xstream_base.js';

/** Operations by which the system xstream leads the targets through the engine's life. */
export const LIFECYCLE = {
  setRank: 'engine.setRank',
  setGroup: 'engine.setGroup',
  setup: 'engine.setup',
  open: 'engine.open',
  drain: 'engine.drain',
  cleanup: 'engine.cleanup',
  fini: 'engine.fini',
  logMasks: 'engine.logMasks',
} as const;

/** Recovery of a target's storage may take its time. */
export const SETUP_TIMEOUT_MS = 30 * 60_000;
export const DRAIN_TIMEOUT_MS = 5_000;
export const STOP_TIMEOUT_MS = 60_000;

export interface LogMasks {
  readonly masks: string;
  readonly subsystems: string;
}

/** Registers the lifecycle of an xstream; the system xstream runs the same operations on itself. */
export function serveLifecycle(xs: XstreamBase): void {
  xs.operation<number, void>(LIFECYCLE.setRank, (rank) => {
    xs.engine.setRank(rank);
    xs.cart.setRank(rank);
  });
  xs.operation<{ version: number; members: readonly GroupMember[] }, void>(LIFECYCLE.setGroup, ({ version, members }) => {
    xs.cart.setGroup(members, version);
  });
  xs.operation<undefined, void>(LIFECYCLE.setup, () => xs.modules.setup());
  xs.operation<undefined, void>(LIFECYCLE.open, () => xs.cart.open());
  xs.operation<undefined, boolean>(LIFECYCLE.drain, () => xs.cart.drain(DRAIN_TIMEOUT_MS));
  xs.operation<undefined, void>(LIFECYCLE.cleanup, () => xs.modules.cleanup());
  xs.operation<undefined, void>(LIFECYCLE.fini, async () => {
    await xs.modules.fini();
    await xs.cart.close();
  });
  xs.operation<LogMasks, void>(LIFECYCLE.logMasks, applyLogMasks);
}

function applyLogMasks({ masks, subsystems }: LogMasks): void {
  configureLogging({ ...(masks !== '' && { mask: masks }), ...(subsystems !== '' && { subsystems }) });
}
