import type { Epoch } from '@daos/common';

import type { AkeyHead } from '../../layout/head.js';

/** Tells somebody who looks at old records of one array, and is not always there, that some of them changed. */
export class ExtentWatch {
  isDisturbed = false;

  constructor(
    readonly akeyNo: number,
    readonly hi: Epoch,
    readonly end: () => void,
  ) {}
}

/** The watches of one pool: few, since each belongs to an aggregation that runs. */
export class ExtentWatches {
  private watches: readonly ExtentWatch[] = [];

  add(akeyNo: number, hi: Epoch): ExtentWatch {
    const watch: ExtentWatch = new ExtentWatch(akeyNo, hi, () => {
      this.watches = this.watches.filter((other) => other !== watch);
    });
    this.watches = [...this.watches, watch];
    return watch;
  }

  changed({ no }: AkeyHead, { epoch }: { readonly epoch: Epoch }): void {
    if (this.watches.length === 0) return;
    for (const watch of this.watches) if (watch.akeyNo === no && epoch <= watch.hi) watch.isDisturbed = true;
  }
}
