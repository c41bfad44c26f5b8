import { alignedBuffer } from '@daos/native';

import { DaosError } from '@daos/common';
import { assert } from '@daos/gurt';

/** Where buffers start: a page, which is what O_DIRECT and the kernel's zero-copy paths want. */
export const BUFFER_ALIGNMENT_BYTES = 4096;
const CLASS_BYTES_MIN = 4096;
/** Greatest size that is kept for reuse: DAOS's DMA chunk. Bigger transfers get a buffer of their own. */
export const POOLED_BYTES_MAX = 8 * 1024 * 1024;
const POOL_BYTES_DEFAULT = 128 * 1024 * 1024;
/** Callers that may wait for a buffer. */
const WAITERS_MAX = 4096;

/** Memory of one size class. The pool refers to it only while it is idle. */
interface Slot {
  readonly classBytes: number;
  readonly space: Uint8Array;
  /** The view handed out last: transfers of one size make no new one. */
  view: Uint8Array;
}

interface Waiter {
  readonly bytes: number;
  resolve(lease: BufferLease): void;
  reject(error: DaosError): void;
}

/**
 * A buffer on loan. Life cycle: taken; used by one owner; released exactly once, after which `bytes` belongs to someone
 * else. A lease that is forgotten costs its buffer (the pool makes another one), never foreign data under a reader:
 * only `release` makes memory reusable.
 */
export class BufferLease {
  private released = false;

  constructor(
    /** As many bytes as were asked for, page aligned, not zeroed. */
    readonly bytes: Uint8Array,
    private readonly slot: Slot,
    private readonly pool: BufferPool,
  ) {}

  /** Gives the buffer back. A second call is a bug and stops the program. */
  release(): void {
    assert(!this.released, 'a buffer lease is released once');
    this.released = true;
    this.pool.giveBack(this.slot);
  }

  [Symbol.dispose](): void {
    if (!this.released) this.release();
  }
}

export interface BufferPoolStatistics {
  /** On loan, by class size. */
  readonly lentBytes: number;
  readonly idleBytes: number;
  /** Buffers made so far: stands still when the pool does its work. */
  readonly made: number;
  /** Leases that were collected without a release. */
  readonly forgotten: number;
}

/**
 * Page-aligned buffers in classes of powers of two (4 KiB to 8 MiB), reused without garbage, bounded in all by
 * `bytesMax`. One pool per thread serves all data files (`BufferPool.ofThread`).
 */
export class BufferPool {
  private static shared: BufferPool | undefined;

  private readonly idle = new Map<number, Slot[]>();
  private readonly waiters: Waiter[] = [];
  private lentBytes = 0;
  private idleBytes = 0;
  private made = 0;
  private forgotten = 0;
  private readonly registry = new FinalizationRegistry<number>((classBytes) => {
    this.forgotten++;
    this.lentBytes -= classBytes;
    this.serveWaiters();
  });

  constructor(private readonly bytesMax = POOL_BYTES_DEFAULT) {
    assert(bytesMax >= POOLED_BYTES_MAX, `a buffer pool holds at least ${POOLED_BYTES_MAX} bytes`);
  }

  static ofThread(): BufferPool {
    return (BufferPool.shared ??= new BufferPool());
  }

  get statistics(): BufferPoolStatistics {
    const { lentBytes, idleBytes, made, forgotten } = this;
    return { lentBytes, idleBytes, made, forgotten };
  }

  /** A buffer of `bytes` bytes at once; undefined when the pool's limit is reached or others wait already. */
  tryTake(bytes: number): BufferLease | undefined {
    return this.waiters.length > 0 ? undefined : this.takeWithin(bytes);
  }

  /**
   * A buffer of `bytes` bytes, in the order of the calls. Throws DER_NOMEM when nobody could ever give enough back
   * (more than the pool's limit), DER_OVERLOAD_RETRY when thousands wait.
   */
  take(bytes: number): Promise<BufferLease> {
    const lease = this.tryTake(bytes);
    if (lease) return Promise.resolve(lease);
    if (classOf(bytes) > this.bytesMax) {
      return Promise.reject(new DaosError('NOMEM', `a buffer of ${bytes} bytes from a pool of ${this.bytesMax}`));
    }
    if (this.waiters.length >= WAITERS_MAX) {
      return Promise.reject(new DaosError('OVERLOAD_RETRY', `${WAITERS_MAX} transfers wait for a buffer`));
    }
    return new Promise((resolve, reject) => this.waiters.push({ bytes, resolve, reject }));
  }

  /** For `BufferLease` only. */
  giveBack(slot: Slot): void {
    const { classBytes } = slot;
    this.lentBytes -= classBytes;
    assert(this.lentBytes >= 0, 'no more buffers come back than were lent');
    if (classBytes <= POOLED_BYTES_MAX) {
      this.idleBytes += classBytes;
      const known = this.idle.get(classBytes);
      if (known) known.push(slot);
      else this.idle.set(classBytes, [slot]);
    } else {
      this.registry.unregister(slot);
    }
    this.serveWaiters();
  }

  private takeWithin(bytes: number): BufferLease | undefined {
    const classBytes = classOf(bytes);
    let slot = this.idle.get(classBytes)?.pop();
    if (slot) {
      this.idleBytes -= classBytes;
    } else {
      if (!this.makeRoom(classBytes)) return undefined;
      slot = this.make(classBytes);
    }
    this.lentBytes += classBytes;
    if (slot.view.length !== bytes) slot.view = slot.space.subarray(0, bytes);
    return new BufferLease(slot.view, slot, this);
  }

  private make(classBytes: number): Slot {
    const space = alignedBuffer(classBytes, BUFFER_ALIGNMENT_BYTES);
    const slot: Slot = { classBytes, space, view: space };
    this.registry.register(slot, classBytes, slot);
    this.made++;
    return slot;
  }

  /** Lets go of idle buffers of other sizes, biggest first, until one more of `classBytes` fits. */
  private makeRoom(classBytes: number): boolean {
    if (this.lentBytes + classBytes > this.bytesMax) return false;
    const sizes = [...this.idle.keys()].sort((a, b) => b - a);
    for (const size of sizes) {
      const slots = this.idle.get(size) ?? [];
      while (this.lentBytes + this.idleBytes + classBytes > this.bytesMax) {
        const slot = slots.pop();
        if (!slot) break;
        this.registry.unregister(slot);
        this.idleBytes -= size;
      }
    }
    return true;
  }

  private serveWaiters(): void {
    for (let waiter = this.waiters[0]; waiter; waiter = this.waiters[0]) {
      const lease = this.takeWithin(waiter.bytes);
      if (!lease) return;
      this.waiters.shift();
      waiter.resolve(lease);
    }
  }
}

/** Size that serves `bytes`: the next power of two, or whole pages beyond what is pooled. */
function classOf(bytes: number): number {
  assert(Number.isSafeInteger(bytes) && bytes >= 0, `a buffer of ${bytes} bytes`);
  if (bytes > POOLED_BYTES_MAX) return Math.ceil(bytes / BUFFER_ALIGNMENT_BYTES) * BUFFER_ALIGNMENT_BYTES;
  return bytes <= CLASS_BYTES_MIN ? CLASS_BYTES_MIN : 2 ** (32 - Math.clz32(bytes - 1));
}
