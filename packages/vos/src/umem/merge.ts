import { compareBytes, type OverlayEntry } from './overlay.js';
import type { UmemEntry } from './umem.js';

/**
 * Merges sorted sources into one sorted sequence. Of entries with one key the source named first counts;
 * removed keys are left out.
 */
export function* mergeEntries(
  sources: readonly Iterable<OverlayEntry>[],
  reverse: boolean,
  limit: number,
): Generator<UmemEntry> {
  const iterators = sources.map((source) => source[Symbol.iterator]());
  const heads = iterators.map((iterator) => iterator.next());
  let left = limit;
  try {
    while (left > 0) {
      let best: OverlayEntry | undefined;
      for (const head of heads) {
        if (head.done) continue;
        const order = best ? compareBytes(head.value.key, best.key) : -1;
        if (reverse && best ? order > 0 : order < 0) best = head.value;
      }
      if (!best) return;
      const { key, value } = best;
      for (let i = 0; i < heads.length; i++) {
        const head = heads[i] as IteratorResult<OverlayEntry>;
        if (!head.done && compareBytes(head.value.key, key) === 0) heads[i] = (iterators[i] as Iterator<OverlayEntry>).next();
      }
      if (!value) continue;
      left--;
      yield { key, value };
    }
  } finally {
    iterators.forEach((iterator, i) => {
      if (!heads[i]?.done) iterator.return?.();
    });
  }
}
