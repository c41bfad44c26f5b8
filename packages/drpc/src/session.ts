import type { DaosError } from '@daos/common';
import { systemClock, type Timer } from '@daos/gurt';
import type { SeqPacketSocket } from '@daos/native';

import { FrameAssembler, frameSplit } from './frame.js';
import { unreadableCall, type DrpcRegistry } from './registry.js';

/** A message that was begun must be complete by then. */
const MESSAGE_MS_MAX = 30_000;

export interface SessionOwner {
  readonly registry: DrpcRegistry;
  readonly requestBytesMax: number;
  /** The peer broke the protocol; its connection is closed. */
  broken(session: Session, error: DaosError): void;
  ended(session: Session): void;
}

/**
 * One client's connection: reads a call, answers it, reads the next. While a call runs nothing is read, so a client
 * cannot queue work here.
 */
export class Session {
  private readonly frames: FrameAssembler;
  private deadline: Timer | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly socket: SeqPacketSocket,
    private readonly owner: SessionOwner,
  ) {
    this.frames = new FrameAssembler(owner.requestBytesMax);
    socket.start({
      packet: (data) => this.packet(data),
      closed: () => this.end(),
    });
  }

  get peer(): SeqPacketSocket['peer'] {
    return this.socket.peer;
  }

  /** The call in progress, if any: settles when it was answered. */
  get activity(): Promise<void> | undefined {
    return this.running;
  }

  close(): void {
    this.socket.close();
    this.end();
  }

  private packet(data: Uint8Array): void {
    let message: Buffer | undefined;
    try {
      message = this.frames.push(data);
    } catch (error) {
      this.refuse(error as DaosError);
      return;
    }
    if (message) {
      this.deadline?.cancel();
      this.deadline = undefined;
      this.socket.pause();
      this.running = this.answer(message).finally(() => (this.running = undefined));
    } else {
      this.deadline ??= systemClock.setTimer(MESSAGE_MS_MAX, () => this.close());
    }
  }

  private async answer(message: Buffer): Promise<void> {
    const { response, isReadable } = await this.owner.registry.process(message, this.socket.peer);
    if (!this.socket.isOpen) return;
    try {
      await this.socket.send(frameSplit(response));
    } catch {
      this.close(); // the client left before its answer
      return;
    }
    if (isReadable && this.socket.isOpen) this.socket.resume();
    else this.close();
  }

  private refuse(error: DaosError): void {
    this.owner.broken(this, error);
    this.socket.pause();
    this.running = this.socket
      .send(frameSplit(unreadableCall()))
      .catch(() => undefined)
      .finally(() => this.close());
  }

  private end(): void {
    this.deadline?.cancel();
    this.deadline = undefined;
    this.owner.ended(this);
  }
}
