import { randomInt } from 'node:crypto';

import type { ObjectId } from '@daos/common';

/** Prime step that visits all 2^32 values of the high word in a scattered order. */
const STEP = 999_999_937;
const WORD = 2 ** 32;

/**
 * Object ids of one mount: one 64-bit low word from the container's durable allocator serves 2^32 objects.
 * An id is never handed out twice, by this mount or another; a crash wastes the rest of a low word.
 */
export class OidAllocator {
  private lo: bigint | undefined;
  private hi: number;
  private readonly hiFirst: number;
  private allocating: Promise<void> | undefined;

  constructor(
    private readonly allocLow: () => Promise<bigint>,
    start = randomInt(2, WORD - 1),
  ) {
    this.hiFirst = start;
    this.hi = start;
  }

  /** User part of a new object id. */
  async next(): Promise<ObjectId> {
    while (this.lo === undefined) await this.allocate();
    const id = this.take(this.lo);
    return id.lo === 0n && id.hi <= 1n ? this.next() : id;
  }

  private take(lo: bigint): ObjectId {
    const id = { hi: BigInt(this.hi), lo };
    this.hi = (this.hi + STEP) % WORD;
    if (this.hi === this.hiFirst) this.lo = undefined;
    return id;
  }

  private async allocate(): Promise<void> {
    this.allocating ??= this.allocLow()
      .then((lo) => {
        this.lo = lo;
      })
      .finally(() => {
        this.allocating = undefined;
      });
    await this.allocating;
  }
}
