import type { MessagePort, Worker } from 'node:worker_threads';

import { DaosError } from '@daos/common';
import { getLogger } from '@daos/gurt';

import { compactViews } from './compact.js';
import { plainError, rebuildError, type PlainError } from './plain_error.js';

const log = getLogger('server');

/** Deadline of an operation between xstreams. */
export const OPERATION_TIMEOUT_MS = 60_000;
/** Operations that wait for one thread; one more fails with DER_OVERLOAD_RETRY. */
const PENDING_MAX = 65_536;
const SWEEP_MS = 500;

interface CallMessage {
  readonly kind: 'call';
  readonly id: number;
  /** Xstream that shall run it: a target, or -1 for the system. */
  readonly to: number;
  readonly name: string;
  readonly args: unknown;
}

interface ReplyMessage {
  readonly kind: 'reply';
  readonly id: number;
  readonly result?: unknown;
  readonly error?: PlainError;
}

type Message = CallMessage | ReplyMessage;

interface Pending {
  readonly name: string;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Port = Pick<MessagePort | Worker, 'postMessage'> & {
  on(event: 'message', listener: (message: Message) => void): unknown;
};

/** One end of the line between the system xstream's thread and a target's. Both ends call and serve operations. */
export class ThreadLink {
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private sweeper: NodeJS.Timeout | undefined;
  private closedBy: DaosError | undefined;

  /** `serve` runs an operation that the other end asks for; `to` is the xstream it is meant for. */
  constructor(
    private readonly port: Port,
    private readonly serve: (to: number, name: string, args: unknown) => Promise<unknown>,
  ) {
    port.on('message', (message) => {
      if (message.kind === 'call') void this.onCall(message);
      else this.onReply(message);
    });
  }

  call(to: number, name: string, args: unknown, timeoutMs = OPERATION_TIMEOUT_MS): Promise<unknown> {
    if (this.closedBy) return Promise.reject(this.closedBy);
    if (this.pending.size >= PENDING_MAX) {
      return Promise.reject(new DaosError('OVERLOAD_RETRY', `${name}: ${PENDING_MAX} operations are waiting already`));
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.port.postMessage({ kind: 'call', id, to, name, args: compactViews(args) } satisfies CallMessage);
      this.pending.set(id, { name, deadlineMs: performance.now() + timeoutMs, timeoutMs, resolve, reject });
      this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS);
    });
  }

  /** Fails what is pending and everything to come. */
  close(error: DaosError): void {
    this.closedBy ??= error;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { reject } of waiting) reject(error);
  }

  private async onCall({ id, to, name, args }: CallMessage): Promise<void> {
    let reply: ReplyMessage;
    try {
      reply = { kind: 'reply', id, result: compactViews(await this.serve(to, name, args)) };
    } catch (error) {
      if (!(error instanceof DaosError)) log.error(`operation ${name} failed: ${(error as Error)?.stack ?? String(error)}`);
      reply = { kind: 'reply', id, error: plainError(error) };
    }
    try {
      this.port.postMessage(reply);
    } catch (error) {
      // The result cannot be cloned: a mistake of the operation, which its caller must hear of.
      this.port.postMessage({ kind: 'reply', id, error: plainError(error) } satisfies ReplyMessage);
    }
  }

  private onReply({ id, result, error }: ReplyMessage): void {
    const pending = this.pending.get(id);
    if (!pending) return;
    this.pending.delete(id);
    if (error) pending.reject(rebuildError(error));
    else pending.resolve(result);
  }

  private sweep(): void {
    const now = performance.now();
    for (const [id, pending] of this.pending) {
      if (now < pending.deadlineMs) continue;
      this.pending.delete(id);
      pending.reject(new DaosError('TIMEDOUT', `operation ${pending.name}: no answer within ${pending.timeoutMs} ms`));
    }
    if (this.pending.size > 0) return;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }
}
