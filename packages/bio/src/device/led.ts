import { DaosError } from '@daos/common';
import { systemClock, type Clock, type Timer } from '@daos/gurt';

/** NA: the device has no light that could be switched (it has no PCI address). */
export type LedState = 'NA' | 'OFF' | 'QUICK_BLINK' | 'ON';

/** How long a device is identified when nobody says so. */
export const LED_IDENTIFY_MINUTES_DEFAULT = 2;
const LED_IDENTIFY_MINUTES_MAX = 24 * 60;

/**
 * The light of a drive: blinks while somebody looks for it, is on while the drive is faulty, else off. Identifying has
 * priority; when it ends the light shows again what the drive is. A file has no light: all calls succeed, state NA.
 */
export class DeviceLed {
  private faulty = false;
  private identifying = false;
  private timer: Timer | undefined;

  constructor(private readonly present: boolean, private readonly clock: Clock = systemClock) {}

  get state(): LedState {
    if (!this.present) return 'NA';
    if (this.identifying) return 'QUICK_BLINK';
    return this.faulty ? 'ON' : 'OFF';
  }

  /** Blinks for `minutes` (0: until `reset`). DER_INVAL for a duration that is none. */
  identify(minutes = LED_IDENTIFY_MINUTES_DEFAULT): LedState {
    if (!Number.isInteger(minutes) || minutes < 0 || minutes > LED_IDENTIFY_MINUTES_MAX) {
      throw new DaosError('INVAL', `a device cannot be identified for ${minutes} minutes: 0 (for ever) to ${LED_IDENTIFY_MINUTES_MAX}`);
    }
    this.reset();
    if (!this.present) return this.state;
    this.identifying = true;
    if (minutes > 0) this.timer = this.clock.setTimer(minutes * 60_000, () => this.reset());
    return this.state;
  }

  /** Ends identification. */
  reset(): LedState {
    this.timer?.cancel();
    this.timer = undefined;
    this.identifying = false;
    return this.state;
  }

  setFaulty(faulty: boolean): void {
    this.faulty = faulty;
  }
}
