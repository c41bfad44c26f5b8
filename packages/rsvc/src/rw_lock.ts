/**
 * Many readers or one writer. Waiters are served in order, so that a stream of readers cannot starve a writer.
 */
export class RwLock {
  private readers = 0;
  private writing = false;
  private readonly waiting: { readonly write: boolean; readonly enter: () => void }[] = [];

  /** Runs `work` beside other readers. */
  async read<T>(work: () => T | Promise<T>): Promise<T> {
    await this.enter(false);
    try {
      return await work();
    } finally {
      this.readers--;
      this.admit();
    }
  }

  /** Runs `work` alone. */
  async write<T>(work: () => T | Promise<T>): Promise<T> {
    await this.enter(true);
    try {
      return await work();
    } finally {
      this.writing = false;
      this.admit();
    }
  }

  private enter(write: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ write, enter: resolve });
      this.admit();
    });
  }

  private admit(): void {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      if (this.writing || (next.write && this.readers > 0)) return;
      this.waiting.shift();
      if (next.write) this.writing = true;
      else this.readers++;
      next.enter();
    }
  }
}
