import { systemClock, type Clock, type Timer } from '@daos/gurt';

import type { BioDevice, DeviceReactions } from './device.js';

/** Polls the devices of an engine in their owner's thread, each as often as its state asks for. */
export class DeviceMonitor {
  private readonly timers = new Map<BioDevice, Timer>();
  private stopped = false;

  constructor(private readonly reactions: DeviceReactions, private readonly clock: Clock = systemClock) {}

  watch(device: BioDevice): void {
    if (this.stopped) return;
    this.timers.get(device)?.cancel();
    this.timers.set(device, this.clock.setTimer(device.pollInMs(), () => void this.pollNow(device)));
  }

  /** Polls at once, for instance after a state change, then goes on at the device's pace. */
  async pollNow(device: BioDevice): Promise<void> {
    await device.poll(this.reactions);
    this.watch(device);
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }
}
