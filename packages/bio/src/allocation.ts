import { getLogger } from '@daos/gurt';

const log = getLogger('bio');

/** Blocks are had for this much of a file at a time: few enough bytes to lose, enough writes to share the cost. */
const REGION_BYTES = 64 * 1024 * 1024;

/**
 * Gets the blocks of a sparse file from the file system ahead of the writes. A flush whose writes had no blocks yet
 * waits for the file system's journal, several times as long as the data takes.
 */
export class Allocation {
  private readonly known = new Set<number>();
  private possible: boolean;

  /** `allocate` gives a range its blocks; it changes no content and no size. `fileBytes` 0: not a file. */
  constructor(
    private readonly fileBytes: number,
    private readonly allocate: (offset: number, length: number) => Promise<void>,
  ) {
    this.possible = fileBytes > 0;
  }

  /** Undefined when the ranges have their blocks already, else a promise that does not fail. */
  prepare(ranges: readonly { readonly offset: number; readonly length: number }[]): Promise<void> | undefined {
    if (!this.possible) return undefined;
    let missing: Set<number> | undefined;
    for (const { offset, length } of ranges) {
      const last = Math.floor((offset + length - 1) / REGION_BYTES);
      for (let region = Math.floor(offset / REGION_BYTES); region <= last; region++) {
        if (!this.known.has(region)) (missing ??= new Set()).add(region);
      }
    }
    return missing && this.prepareRegions(missing);
  }

  private async prepareRegions(regions: ReadonlySet<number>): Promise<void> {
    for (const region of regions) {
      const offset = region * REGION_BYTES;
      try {
        await this.allocate(offset, Math.min(REGION_BYTES, this.fileBytes - offset));
      } catch (error) {
        // Not needed to go on: without blocks for a whole region, the write itself tells whether its own are there.
        this.possible = false;
        log.info('space is allocated as it is written', { reason: String(error) });
        return;
      }
      this.known.add(region);
    }
  }
}
