import { getLogger } from '@daos/gurt';

/** A device gains nothing from hearing of less. */
export const TRIM_BYTES_MIN = 1024 * 1024;
/** Calls on their way to the device; data must get through beside them. */
const RUNNING_MAX = 32;

const log = getLogger('vos');

interface Waiting {
  readonly offset: number;
  readonly blocks: number;
  readonly give: (offset: number, blocks: number) => void;
}

/** Extents that the device is being told of, or will be; nobody may write to them meanwhile. */
export class Trimmer {
  private readonly running = new Set<Promise<void>>();
  private readonly waiting: Waiting[] = [];
  private total = 0;

  constructor(private readonly trim: (offset: number, blocks: number) => Promise<void>) {}

  get entryCount(): number {
    return this.running.size + this.waiting.length;
  }

  get blocks(): number {
    return this.total;
  }

  /** `give` gets the extent when the device has heard of it. */
  start(offset: number, blocks: number, give: (offset: number, blocks: number) => void): void {
    this.total += blocks;
    this.waiting.push({ offset, blocks, give });
    this.runNext();
  }

  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private runNext(): void {
    // in any order: the last is the cheapest to take
    const next = this.running.size < RUNNING_MAX ? this.waiting.pop() : undefined;
    if (!next) return;
    const run = this.tell(next).then(() => {
      this.running.delete(run);
      this.total -= next.blocks;
      next.give(next.offset, next.blocks);
      this.runNext();
    });
    this.running.add(run);
  }

  private async tell({ offset, blocks }: Waiting): Promise<void> {
    try {
      await this.trim(offset, blocks);
    } catch (error) {
      // it only was a favour to the device
      log.warn(`blocks ${offset}+${blocks} cannot be trimmed: ${String(error)}`);
    }
  }
}
