/** A bounded number of places; who finds none waits for its turn. */
export class Slots {
  private readonly waiting: (() => void)[] = [];
  private head = 0;

  constructor(private free: number) {}

  async acquire(): Promise<void> {
    if (this.free > 0) {
      this.free--;
      return;
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  release(): void {
    const next = this.waiting[this.head];
    if (next === undefined) {
      this.free++;
      return;
    }
    this.head++;
    // Shift the queue only now and then: the head moves through it.
    if (this.head > 1024) {
      this.waiting.splice(0, this.head);
      this.head = 0;
    }
    next();
  }
}

/** A bounded number of buffers of one size, made when first needed and used again. */
export class BufferPool {
  private readonly slots: Slots;
  private readonly idle: Buffer[] = [];

  constructor(
    count: number,
    readonly bytes: number,
  ) {
    this.slots = new Slots(count);
  }

  async take(): Promise<Buffer> {
    await this.slots.acquire();
    return this.idle.pop() ?? Buffer.allocUnsafeSlow(this.bytes);
  }

  give(buffer: Buffer): void {
    this.idle.push(buffer);
    this.slots.release();
  }
}
