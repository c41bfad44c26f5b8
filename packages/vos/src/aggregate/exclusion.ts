import { DaosError, type EpochRange } from '@daos/common';

/**
 * Which aggregations and discards of one container may run side by side: one aggregation, beside discards of later
 * epochs and of single objects; one discard of the container.
 */
export class Exclusion {
  private aggregated: EpochRange | undefined;
  private discarded: EpochRange | undefined;
  private objectDiscards = 0;

  /** DER_BUSY. The result ends the claim. */
  aggregate(range: EpochRange): () => void {
    if (this.aggregated) throw busy('aggregated', this.aggregated);
    if (this.discarded && this.discarded.lo <= range.hi) throw busy('discarded', this.discarded);
    this.aggregated = range;
    return () => (this.aggregated = undefined);
  }

  /** DER_BUSY. The result ends the claim. */
  discard(range: EpochRange): () => void {
    if (this.discarded) throw busy('discarded', this.discarded);
    if (this.objectDiscards > 0) throw new DaosError('BUSY', `${this.objectDiscards} objects of the container are being discarded`);
    if (this.aggregated && this.aggregated.hi >= range.lo) throw busy('aggregated', this.aggregated);
    this.discarded = range;
    return () => (this.discarded = undefined);
  }

  /** DER_BUSY. The result ends the claim. */
  discardObject(): () => void {
    if (this.discarded) throw busy('discarded', this.discarded);
    this.objectDiscards++;
    return () => this.objectDiscards--;
  }
}

function busy(what: string, { lo, hi }: EpochRange): DaosError {
  return new DaosError('BUSY', `epochs ${lo} to ${hi} of the container are being ${what}: try again later`);
}
