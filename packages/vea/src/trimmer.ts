import { getLogger } from '@daos/gurt';

/** A device gains nothing from hearing of less. */
export const TRIM_BYTES_MIN = 1024 * 1024;

const log = getLogger('vos');

/** Extents that the device is being told of; nobody may write to them meanwhile. */
export class Trimmer {
  private readonly running = new Set<Promise<void>>();
  private total = 0;

  constructor(private readonly trim: (offset: number, blocks: number) => Promise<void>) {}

  get entryCount(): number {
    return this.running.size;
  }

  get blocks(): number {
    return this.total;
  }

  /** `give` gets the extent when the device has heard of it. */
  start(offset: number, blocks: number, give: (offset: number, blocks: number) => void): void {
    this.total += blocks;
    const run = this.trim(offset, blocks)
      // it only was a favour to the device
      .catch((error: unknown) => log.warn(`blocks ${offset}+${blocks} cannot be trimmed: ${String(error)}`))
      .then(() => {
        this.running.delete(run);
        this.total -= blocks;
        give(offset, blocks);
      });
    this.running.add(run);
  }

  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }
}
