/** Smallest size worth keeping: fresh memory costs a page fault per 4 KiB, small buffers few of them. */
const SIZE_MIN = 128 * 1024;

/** Keeps large buffers for reuse, by powers of two, up to `retainedMax` bytes. */
export class BufferPool {
  private readonly free = new Map<number, Buffer[]>();
  private retained = 0;

  constructor(private readonly retainedMax: number) {}

  /** A buffer of at least `length` bytes with any content. */
  take(length: number): Buffer {
    if (length < SIZE_MIN) return Buffer.allocUnsafeSlow(length);
    const size = 2 ** Math.ceil(Math.log2(length));
    const buffer = this.free.get(size)?.pop();
    if (!buffer) return Buffer.allocUnsafeSlow(size);
    this.retained -= size;
    return buffer;
  }

  /** Gives back a buffer that nobody looks at any more. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (size < SIZE_MIN || this.retained + size > this.retainedMax) return;
    this.retained += size;
    const list = this.free.get(size);
    if (list) list.push(buffer);
    else this.free.set(size, [buffer]);
  }
}
