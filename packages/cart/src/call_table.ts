import { IN_FLIGHT_MAX } from './limits.js';
import type { Call } from './call.js';

const SLOT_BITS = 12;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const GENERATION_MASK = 0xf_ffff;

/**
 * Calls on the wire of one connection, found by RPC id without a map: the low 12 bits of an id are the slot, the
 * others count how often the slot was used, so that a late reply to an abandoned call finds nothing.
 */
export class CallTable {
  private readonly calls: (Call | undefined)[] = [];
  private readonly generations: number[] = [];
  /** Free slots; the one freed longest ago is used next. */
  private free: number[] = [];
  private freeHead = 0;
  size = 0;

  /** Places a call and returns its RPC id. The caller keeps `size` within IN_FLIGHT_MAX. */
  add(call: Call): number {
    const slot = this.takeSlot();
    this.calls[slot] = call;
    call.slot = slot;
    this.size++;
    return (((this.generations[slot] as number) << SLOT_BITS) | slot) >>> 0;
  }

  find(rpcId: number): Call | undefined {
    const slot = rpcId & SLOT_MASK;
    return this.generations[slot] === rpcId >>> SLOT_BITS ? this.calls[slot] : undefined;
  }

  remove(call: Call): void {
    const slot = call.slot;
    if (slot < 0 || this.calls[slot] !== call) return;
    this.calls[slot] = undefined;
    call.slot = -1;
    this.generations[slot] = ((this.generations[slot] as number) + 1) & GENERATION_MASK;
    this.free.push(slot);
    this.size--;
  }

  /** Calls at the moment of asking; they may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<Call> {
    for (const call of this.calls) if (call) yield call;
  }

  private takeSlot(): number {
    if (this.freeHead < this.free.length) {
      const slot = this.free[this.freeHead++] as number;
      if (this.freeHead === IN_FLIGHT_MAX) {
        this.free = this.free.slice(this.freeHead);
        this.freeHead = 0;
      }
      return slot;
    }
    this.generations.push(0);
    return this.calls.push(undefined) - 1;
  }
}
