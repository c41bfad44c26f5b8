import { DaosError, type Uuid } from '@daos/common';
import { getLogger, systemClock, type Clock } from '@daos/gurt';

import {
  AUTO_FAULTY_DEFAULT, NO_ERRORS, autoFaultyReason, type AutoFaultyCriteria, type ErrorCounts, type MediaErrorKind,
} from './health.js';
import { DeviceLed } from './led.js';
import { checkRoles, type RoleBits } from './roles.js';
import { StallWatch } from './stall_watch.js';
import { deviceStateMayFollow, deviceStateServes, type DeviceState } from './state.js';

const log = getLogger('bio');

/** An I/O that takes longer declares its device faulty. May be set from 30 s to 300 s. */
export const STALL_TIMEOUT_MS_DEFAULT = 120_000;
const STALL_TIMEOUT_MS_MIN = 30_000;
const STALL_TIMEOUT_MS_MAX = 300_000;

const POLL_MS = 60_000;
const POLL_IN_TRANSIT_MS = 3_000;
/** Polls within the stall limit while transfers are under way. */
const POLLS_PER_STALL = 4;

export type DeviceEvent =
  | { readonly type: 'stateChanged'; readonly device: Uuid; readonly from: DeviceState; readonly to: DeviceState; readonly reason: string }
  | { readonly type: 'mediaError'; readonly device: Uuid; readonly kind: MediaErrorKind; readonly detail: string };

export interface DeviceOptions {
  readonly uuid: Uuid;
  readonly roles: RoleBits;
  /** State to begin with. Default NORMAL. */
  readonly state?: DeviceState;
  readonly criteria?: AutoFaultyCriteria;
  readonly stallTimeoutMs?: number;
  readonly clock?: Clock;
  /** Whether the drive has a light (a PCI address). Default: no. */
  readonly led?: boolean;
  /** Sees every event; the one place for logs, RAS events, metrics. */
  readonly listener?: (event: DeviceEvent) => void;
  /** Keeps FAULTY across restarts (SMD). */
  readonly persistFaulty?: (uuid: Uuid) => void;
}

/** What the owner of a device does in each state. `inProgress`: ask again at the next poll. */
export interface DeviceReactions {
  /** Excludes the device's targets from every pool and stops their shards. */
  faulty(device: BioDevice): Promise<'inProgress' | 'done'>;
  /** Closes the files on it. */
  teardown(device: BioDevice): Promise<'inProgress' | 'done'>;
  /** Opens the files on it. */
  setup(device: BioDevice): Promise<'inProgress' | 'done'>;
  /** The device took the place of another one: starts the shards, then reintegrates the targets. */
  replaced(device: BioDevice): Promise<'inProgress' | 'done'>;
}

/**
 * A storage device of an engine: its state, what it got wrong, and when that is too much. Files are opened on it
 * (`BioFile.open(path, { device })`): their errors count here, and they fail with DER_NVME_IO while it does not serve.
 */
export class BioDevice {
  readonly uuid: Uuid;
  readonly roles: RoleBits;
  readonly led: DeviceLed;
  /** Whether it is there physically. */
  plugged = true;
  /** It replaces another device, whose targets have yet to be reintegrated. Not kept across restarts. */
  awaitsReintegration = false;
  private current: DeviceState;
  private counts: Record<MediaErrorKind, number> = { ...NO_ERRORS };
  private polling = false;
  private readonly stalls: StallWatch;
  private readonly clock: Clock;
  private readonly criteria: AutoFaultyCriteria;
  private readonly stallTimeoutMs: number;

  constructor(private readonly options: DeviceOptions) {
    const { uuid, roles, state = 'NORMAL', criteria = AUTO_FAULTY_DEFAULT, clock = systemClock } = options;
    const { stallTimeoutMs = STALL_TIMEOUT_MS_DEFAULT } = options;
    checkRoles(roles);
    if (!(stallTimeoutMs >= STALL_TIMEOUT_MS_MIN && stallTimeoutMs <= STALL_TIMEOUT_MS_MAX)) {
      throw new DaosError('INVAL', `an I/O timeout of ${stallTimeoutMs} ms on device ${uuid}: ${STALL_TIMEOUT_MS_MIN} to ${STALL_TIMEOUT_MS_MAX}`);
    }
    this.uuid = uuid;
    this.roles = roles;
    this.current = state;
    this.criteria = criteria;
    this.clock = clock;
    this.stallTimeoutMs = stallTimeoutMs;
    this.led = new DeviceLed(options.led ?? false, clock);
    this.led.setFaulty(state === 'FAULTY');
    this.stalls = new StallWatch(stallTimeoutMs);
  }

  get state(): DeviceState {
    return this.current;
  }

  get errorCounts(): ErrorCounts {
    return { ...this.counts };
  }

  /** The error of an I/O on a device that does not serve; undefined when it does. */
  refusal(what: string): DaosError | undefined {
    if (deviceStateServes(this.current)) return undefined;
    return new DaosError('NVME_IO', `${what}: device ${this.uuid} is ${this.current}`);
  }

  /** An I/O starts; the result goes to `ioEnded`. */
  ioStarted(): number {
    return this.stalls.begin(this.clock.monotonicMs());
  }

  ioEnded(token: number): void {
    this.stalls.end(token);
  }

  /** Counts an error of the media and declares the device faulty when that is one too many. */
  mediaError(kind: MediaErrorKind, detail: string): void {
    this.counts[kind]++;
    this.options.listener?.({ type: 'mediaError', device: this.uuid, kind, detail });
    const reason = autoFaultyReason(this.roles, this.counts, this.criteria);
    if (reason !== undefined) this.declareFaulty(reason);
  }

  /** An administrator's order, or the reason of an automatism. Nothing happens when it is faulty or going out. */
  declareFaulty(reason: string): void {
    if (deviceStateMayFollow(this.current, 'FAULTY')) this.moveTo('FAULTY', reason);
  }

  /** Moves to a state. The same again is no move; DER_INVAL when it may not follow the present one. */
  moveTo(state: DeviceState, reason: string): void {
    const from = this.current;
    if (state === from) return;
    if (!deviceStateMayFollow(from, state)) {
      throw new DaosError('INVAL', `device ${this.uuid} cannot go from ${from} to ${state} (${reason})`);
    }
    this.current = state;
    if (state === 'FAULTY') this.enterFaulty();
    if (state === 'SETUP') this.enterSetup();
    this.options.listener?.({ type: 'stateChanged', device: this.uuid, from, to: state, reason });
  }

  /** When `poll` is to be called next. */
  pollInMs(): number {
    const inTransit = this.current === 'FAULTY' || this.current === 'TEARDOWN' || this.current === 'SETUP';
    if (inTransit || this.awaitsReintegration) return POLL_IN_TRANSIT_MS;
    return this.stalls.active ? Math.min(POLL_MS, this.stallTimeoutMs / POLLS_PER_STALL) : POLL_MS;
  }

  /** One step of the state machine. A reaction that fails is logged and asked again; calls do not overlap. */
  async poll(reactions: DeviceReactions): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    const { state } = this;
    try {
      await this.react(reactions);
    } catch (error) {
      log.warn('a device stays in its state', { device: this.uuid, state, reason: String(error) });
    } finally {
      this.polling = false;
    }
  }

  private async react(reactions: DeviceReactions): Promise<void> {
    switch (this.current) {
      case 'NORMAL':
        if (this.stalls.stalled(this.clock.monotonicMs())) {
          this.declareFaulty(`an I/O takes longer than ${this.stallTimeoutMs / 1000} s`);
        } else if (this.awaitsReintegration && (await reactions.replaced(this)) === 'done') {
          this.awaitsReintegration = false;
        }
        return;
      case 'FAULTY':
        if ((await reactions.faulty(this)) === 'done') this.stepFrom('FAULTY', 'TEARDOWN', 'its targets are excluded');
        return;
      case 'TEARDOWN':
        if ((await reactions.teardown(this)) === 'done') this.stepFrom('TEARDOWN', 'OUT', 'its files are closed');
        return;
      case 'SETUP':
        if ((await reactions.setup(this)) === 'done') this.stepFrom('SETUP', 'NORMAL', 'its files are open');
        return;
      case 'OUT':
        return;
    }
  }

  private enterFaulty(): void {
    this.led.setFaulty(true);
    try {
      this.options.persistFaulty?.(this.uuid);
    } catch (error) {
      // It serves nobody from now on either way; after a restart its errors would have to be met again.
      log.error('a device is faulty, but that could not be written down', { device: this.uuid, reason: String(error) });
    }
  }

  private enterSetup(): void {
    this.led.setFaulty(false);
    this.counts = { ...NO_ERRORS };
  }

  /** The state may have changed while the reaction ran; the newer one stands. */
  private stepFrom(from: DeviceState, to: DeviceState, reason: string): void {
    if (this.current === from) this.moveTo(to, reason);
  }
}
