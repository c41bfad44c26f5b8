import { bytesEqual } from './bytes.js';
import type { Head } from './head.js';

/**
 * Bounded cache of heads: two places per hash, the more recent entry first. No list to maintain on a hit, no
 * strings as keys. A head that falls out is given to `onEvict`.
 */
export class HeadCache<H extends Head> {
  private readonly slots: (H | undefined)[];
  private readonly mask: number;

  constructor(
    slotBits: number,
    private readonly onEvict: (head: H) => void,
  ) {
    this.slots = new Array<H | undefined>(1 << slotBits).fill(undefined);
    this.mask = (1 << slotBits) - 1;
  }

  find(parent: number, key: Uint8Array, hash: number): H | undefined {
    const at = hash & this.mask;
    const first = this.slots[at];
    if (first !== undefined && is(first, parent, key, hash)) return first;
    const second = this.slots[at ^ 1];
    if (second !== undefined && is(second, parent, key, hash)) return second;
    return undefined;
  }

  add(head: H): void {
    const at = head.hash & this.mask;
    const first = this.slots[at];
    this.slots[at] = head;
    head.isCached = true;
    if (first === undefined) return;
    const second = this.slots[at ^ 1];
    this.slots[at ^ 1] = first;
    if (second === undefined) return;
    second.isCached = false;
    this.onEvict(second);
  }

  /** Takes out a head that is gone. */
  forget(head: H): void {
    const at = head.hash & this.mask;
    for (const slot of [at, at ^ 1]) if (this.slots[slot] === head) this.slots[slot] = undefined;
  }

  clear(): void {
    this.slots.fill(undefined);
  }
}

function is(head: Head, parent: number, key: Uint8Array, hash: number): boolean {
  return head.hash === hash && head.parent === parent && bytesEqual(head.key, key);
}
