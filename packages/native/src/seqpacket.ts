import { addon, type PeerCredentials, type WatcherHandle } from './addon.js';

/** Longest path of a Unix socket in bytes: 108 with the closing zero. */
export const SOCKET_PATH_BYTES_MAX = 107;
/** Largest packet that is received; a longer one is reported with its real length and its head. */
export const PACKET_BYTES_MAX = 131_072;
/** Packets read in one turn before other work gets its chance. */
const PACKETS_PER_TURN_MAX = 16;
/** Connections accepted in one turn. */
const ACCEPTS_PER_TURN_MAX = 64;
const BACKLOG = 511;
const READABLE = 1;
const WRITABLE = 2;

/** Every thread reads into one buffer: a packet is looked at before the next one is read. */
let receiveBuffer: Uint8Array | undefined;

export interface SeqPacketHandlers {
  /** A packet: a view valid during the call. `length` is larger than the view when the packet was cut. */
  packet(data: Uint8Array, length: number): void;
  /** The connection is gone: orderly without `error`. Called once, never after `close()`. */
  closed(error: Error | undefined): void;
}

interface Outgoing {
  readonly packets: readonly (readonly Uint8Array[])[];
  next: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Throws an ENAMETOOLONG error that names the path and its length. */
export function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path);
  if (length > 0 && length <= SOCKET_PATH_BYTES_MAX) return;
  const text = `the socket path has ${length} bytes, at most ${SOCKET_PATH_BYTES_MAX} are possible: ${path}`;
  throw Object.assign(new Error(text), { code: 'ENAMETOOLONG' });
}

/** One end of a connection that carries packets in order and whole. */
export class SeqPacketSocket {
  /** The process at the other end. */
  readonly peer: PeerCredentials;
  private readonly watcher: WatcherHandle;
  private handlers: SeqPacketHandlers | undefined;
  private readonly outgoing: Outgoing[] = [];
  private reading = false;
  private open = true;

  /** @internal */
  constructor(private readonly fd: number) {
    try {
      this.peer = addon().peerCredentials(fd);
      this.watcher = addon().watch(fd, (ready) => this.ready(ready));
    } catch (error) {
      addon().closeFd(fd);
      throw error;
    }
  }

  /**
   * Connects. Undefined when the listener's queue is full: try again a little later. Throws the system's error
   * (ENOENT, ECONNREFUSED, EACCES, ENAMETOOLONG).
   */
  static connect(path: string): SeqPacketSocket | undefined {
    checkSocketPath(path);
    const fd = addon().seqConnect(path);
    return fd < 0 ? undefined : new SeqPacketSocket(fd);
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** Starts reading. */
  start(handlers: SeqPacketHandlers): void {
    this.handlers = handlers;
    this.resume();
  }

  /** Stops reading: what the peer sends stays in the kernel, and then with the peer. */
  pause(): void {
    this.reading = false;
    this.update();
  }

  resume(): void {
    this.reading = true;
    this.update();
  }

  /**
   * Sends packets, each given as parts. Resolves when the kernel has them all, so that a caller that waits never
   * queues more than one message. Rejects when the connection breaks first.
   */
  send(packets: readonly (readonly Uint8Array[])[]): Promise<void> {
    if (!this.open) return Promise.reject(brokenPipe());
    return new Promise((resolve, reject) => {
      this.outgoing.push({ packets, next: 0, resolve, reject });
      if (this.outgoing.length === 1) this.flush();
    });
  }

  /** Closes without a call to `closed`. What waits to be sent is rejected. */
  close(): void {
    this.shut(undefined, false);
  }

  private ready(events: number): void {
    if (events & WRITABLE) this.flush();
    if (events & READABLE && this.open && this.reading) this.receive();
  }

  private receive(): void {
    const buffer = (receiveBuffer ??= new Uint8Array(PACKET_BYTES_MAX));
    for (let i = 0; i < PACKETS_PER_TURN_MAX && this.open && this.reading; i++) {
      let length: number;
      try {
        length = addon().seqReceive(this.fd, buffer);
      } catch (error) {
        this.shut(error as Error, true);
        return;
      }
      if (length < 0) return;
      if (length === 0) {
        this.shut(undefined, true);
        return;
      }
      this.handlers?.packet(buffer.subarray(0, Math.min(length, buffer.length)), length);
    }
  }

  private flush(): void {
    try {
      for (let message = this.outgoing[0]; message; message = this.outgoing[0]) {
        while (message.next < message.packets.length) {
          if (addon().seqSend(this.fd, message.packets[message.next] ?? []) < 0) return;
          message.next++;
        }
        this.outgoing.shift();
        message.resolve();
      }
    } catch (error) {
      this.shut(error as Error, true);
    } finally {
      this.update();
    }
  }

  private update(): void {
    if (!this.open) return;
    const wanted = (this.reading ? READABLE : 0) | (this.outgoing.length > 0 ? WRITABLE : 0);
    addon().watchSet(this.watcher, wanted);
  }

  private shut(error: Error | undefined, report: boolean): void {
    if (!this.open) return;
    this.open = false;
    addon().watchClose(this.watcher);
    addon().closeFd(this.fd);
    for (const message of this.outgoing.splice(0)) message.reject(error ?? brokenPipe());
    if (report) this.handlers?.closed(error);
  }
}

/** Listens at a path of the file system. */
export class SeqPacketServer {
  private readonly watcher: WatcherHandle;
  private open = true;

  private constructor(
    private readonly fd: number,
    readonly path: string,
    private readonly connection: (socket: SeqPacketSocket) => void,
    private readonly failed: (error: Error) => void,
  ) {
    this.watcher = addon().watch(fd, () => this.accept());
    addon().watchSet(this.watcher, READABLE);
  }

  /**
   * Binds and listens. `mode` are the socket file's permissions. `failed` hears of connections that could not be
   * accepted (out of descriptors); listening goes on. Throws the system's error (EADDRINUSE: the path exists).
   */
  static listen(
    path: string,
    options: { mode: number; connection: (socket: SeqPacketSocket) => void; failed: (error: Error) => void },
  ): SeqPacketServer {
    checkSocketPath(path);
    return new SeqPacketServer(addon().seqListen(path, options.mode, BACKLOG), path, options.connection, options.failed);
  }

  /** Stops listening. The socket's file and accepted connections stay. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    addon().watchClose(this.watcher);
    addon().closeFd(this.fd);
  }

  private accept(): void {
    for (let i = 0; i < ACCEPTS_PER_TURN_MAX && this.open; i++) {
      let socket: SeqPacketSocket;
      try {
        const fd = addon().seqAccept(this.fd);
        if (fd < 0) return;
        socket = new SeqPacketSocket(fd);
      } catch (error) {
        this.rest();
        this.failed(error as Error);
        return;
      }
      this.connection(socket);
    }
  }

  /** Without descriptors the waiting connection would be reported again and again at once. */
  private rest(): void {
    addon().watchSet(this.watcher, 0);
    setTimeout(() => {
      if (this.open) addon().watchSet(this.watcher, READABLE);
    }, 100).unref();
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('EPIPE: the connection is closed'), { code: 'EPIPE' });
}
