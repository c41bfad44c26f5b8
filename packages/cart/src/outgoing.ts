import { connect, type OnReadOpts, type Socket } from 'node:net';

import { DaosError } from '@daos/common';

import { isLocalHost, unixName, type Address } from './address.js';
import type { Call } from './call.js';
import { ClientConnection, type ClientSide } from './client_connection.js';
import type { DeadlineTimer, Ticking } from './deadline_timer.js';
import { CONNECT_TIMEOUT_MS, QUEUE_MAX } from './limits.js';

/**
 * Where bytes arrive, for all connections in turn: what arrives is taken out at once. A buffer of its own for each read
 * would be so much garbage that every few dozen MiB cost a collection of the whole heap.
 */
const RECEIVED = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * The sending side towards one endpoint: a queue of calls, and a connection that is made when there is something to
 * send and made anew after it was lost. At most `inFlightMax` calls are on the wire, the rest waits in order.
 */
export class Outgoing implements Ticking {
  private queue: Call[] = [];
  private queueHead = 0;
  private connection: ClientConnection | undefined;
  private connecting: Socket | undefined;
  private ready = false;
  private stopConnectTimer: (() => void) | undefined;

  constructor(
    readonly address: Address,
    private readonly side: ClientSide,
    private readonly timer: DeadlineTimer,
    private readonly inFlightMax: number,
  ) {}

  /** Sends the call, or keeps it until there is room. */
  submit(call: Call): void {
    this.timer.watch(this);
    if (this.ready && this.queueHead === this.queue.length && this.hasRoom()) {
      this.send(call);
      return;
    }
    if (this.queue.length - this.queueHead >= QUEUE_MAX) {
      call.fail(new DaosError('QUOTA_LIMIT', `${call.subject}: ${QUEUE_MAX} calls are waiting already`));
      return;
    }
    this.queue.push(call);
    if (!this.connection && !this.connecting) this.open();
  }

  /** Settles a call with an error before its reply came. */
  cancel(call: Call, error: DaosError): void {
    if (call.settled) return;
    if (call.slot >= 0) this.connection?.drop(call);
    call.fail(error);
    this.pump();
  }

  tick(nowMs: number): boolean {
    let waiting = 0;
    for (let i = this.queueHead; i < this.queue.length; i++) {
      const call = this.queue[i] as Call;
      if (call.settled) continue;
      if (nowMs >= call.deadlineMs) this.expire(call);
      else waiting++;
    }
    for (const call of this.connection?.calls ?? []) if (nowMs >= call.deadlineMs) this.expire(call);
    return waiting > 0 || this.connecting !== undefined || (this.connection?.calls.size ?? 0) > 0;
  }

  /** Fails every call with the error and closes. The next call connects again. */
  close(error: DaosError): void {
    const { connection } = this;
    this.connecting?.destroy();
    this.reset();
    connection?.close(undefined);
    for (const call of connection?.calls ?? []) call.fail(error);
    this.failQueue(error);
  }

  private expire(call: Call): void {
    const what = call.slot >= 0 ? 'no reply' : this.ready ? 'not sent' : 'not connected';
    this.cancel(call, new DaosError('TIMEDOUT', `${call.subject}: ${what} within ${call.timeoutMs} ms`));
  }

  private hasRoom(): boolean {
    const { connection } = this;
    return connection !== undefined && connection.calls.size < this.inFlightMax && !connection.isCongested;
  }

  private send(call: Call): void {
    try {
      this.connection?.send(call, this.timer.now());
    } catch (error) {
      call.fail(error);
    }
  }

  /** Sends waiting calls while there is room. */
  private pump(): void {
    if (!this.ready) return;
    while (this.queueHead < this.queue.length && this.hasRoom()) {
      const call = this.queue[this.queueHead++] as Call;
      if (!call.settled) this.send(call);
    }
    if (this.queueHead === this.queue.length && this.queueHead > 0) {
      this.queue = [];
      this.queueHead = 0;
    }
  }

  /** Connects: over the Unix socket of a peer on this host, else (also when it has none) over TCP. */
  private open(): void {
    const name = isLocalHost(this.address.host) ? unixName(this.address) : undefined;
    const { host, port } = this.address;
    this.stopConnectTimer = this.timer.after(CONNECT_TIMEOUT_MS, () => {
      this.close(new DaosError('UNREACH', `no connection to ${host}:${port} within ${CONNECT_TIMEOUT_MS} ms`));
    });
    const dialTcp = (): void => this.dial((onread) => connect({ ...this.address, onread }));
    if (name === undefined) dialTcp();
    else this.dial((onread) => connect({ path: name, onread }), dialTcp);
  }

  private dial(start: (onread: OnReadOpts) => Socket, otherwise?: () => void): void {
    let connection: ClientConnection | undefined;
    const socket = start({
      buffer: RECEIVED,
      callback: (length) => {
        connection?.receiveShared(RECEIVED.subarray(0, length));
        return true;
      },
    });
    this.connecting = socket;
    socket.unref();
    const onError = (error: Error): void => {
      if (this.connecting !== socket) return;
      if (otherwise) otherwise();
      else this.refused(error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      if (this.connecting === socket) connection = this.connected(socket);
      else socket.destroy();
    });
  }

  private connected(socket: Socket): ClientConnection {
    const connection: ClientConnection = new ClientConnection(socket, this.side,
      () => {
        if (this.connection !== connection) return;
        this.stopConnectTimer?.();
        this.connecting = undefined;
        this.ready = true;
        this.pump();
      },
      (error) => this.lost(connection, error),
      () => this.pump());
    this.connection = connection;
    return connection;
  }

  private refused(error: Error): void {
    this.reset();
    const { host, port } = this.address;
    this.failQueue(new DaosError('UNREACH', `cannot connect to ${host}:${port}: ${error.message}`, { cause: error }));
  }

  private lost(connection: ClientConnection, error: DaosError): void {
    if (this.connection !== connection) return;
    const wasReady = this.ready;
    this.reset();
    for (const call of connection.calls) call.fail(new DaosError(error.der, `${call.subject}: ${error.detail}`));
    if (!wasReady) this.failQueue(error);
    else if (this.queueHead < this.queue.length) this.open();
  }

  private reset(): void {
    this.stopConnectTimer?.();
    this.stopConnectTimer = undefined;
    this.connection = undefined;
    this.connecting = undefined;
    this.ready = false;
  }

  private failQueue(error: DaosError): void {
    const calls = this.queue.slice(this.queueHead);
    this.queue = [];
    this.queueHead = 0;
    for (const call of calls) if (!call.settled) call.fail(new DaosError(error.der, `${call.subject}: ${error.detail}`));
  }
}
