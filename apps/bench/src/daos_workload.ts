import type { Container, DaosObject } from '@daos/client';

import type { PerfCommand } from './perf_command.js';
import { fillValue, verifyValue } from './stamp.js';

const OTYPE_MULTI_HASHED = 0;
const STAMPED_MIN = 16;

/** What a run works on: counts per level and the form of the values. */
export interface WorkloadShape {
  readonly objects: number;
  readonly dkeys: number;
  readonly akeys: number;
  readonly values: number;
  /** Bytes of a value. */
  readonly size: number;
  /** Array values, their extents in sequential or random order; single values otherwise. */
  readonly array: 'sequential' | 'random' | undefined;
  readonly seed: number;
}

/** Counts of one command: those of the run, or fewer. */
interface Counts {
  readonly objects: number;
  readonly dkeys: number;
  readonly akeys: number;
  readonly values: number;
}

/** One operation's place in the key space. */
interface Position {
  readonly object: DaosObject;
  readonly dkey: string;
  readonly akey: string;
  readonly value: number;
  /** Number of the value over the whole run: its stamp. */
  readonly stamp: number;
}

/**
 * Keys and values of a run. Operations go through dkeys, akeys, values and objects, the last fastest. Values of at
 * least 16 bytes carry stamps, so that a wrong one is found.
 */
export class DaosWorkload {
  private readonly order: number[];
  /** Buffers of operations that are not under way: as an application would, a run uses few of them again and again. */
  private readonly buffers: Buffer[] = [];

  private constructor(
    private readonly objects: readonly DaosObject[],
    private readonly shape: WorkloadShape,
  ) {
    this.order = Array.from({ length: shape.values }, (_, i) => i);
    if (shape.array === 'random') shuffle(this.order, shape.seed);
  }

  static async create(cont: Container, className: string, shape: WorkloadShape): Promise<DaosWorkload> {
    const first = await cont.allocOids(shape.objects);
    const objects = Array.from({ length: shape.objects }, (_, i) =>
      cont.objOpen(cont.generateOid({ hi: 0n, lo: first + BigInt(i) }, OTYPE_MULTI_HASHED, { class: className }), { mode: 'rw' }));
    return new DaosWorkload(objects, shape);
  }

  /** Operations of one iteration of a command. Throws when the command asks for more than the run has. */
  operations(command: PerfCommand): number {
    const { objects, dkeys, akeys, values } = this.counts(command);
    const { offset = 0, size = this.shape.size - offset } = command;
    if (offset + size > this.shape.size) throw new Error(`-R: ${offset} + ${size} bytes do not fit into values of ${this.shape.size}`);
    if ((command.offset !== undefined || command.size !== undefined) && !this.shape.array) {
      throw new Error('-R: a part of a value (o=, s=) needs array values (-A)');
    }
    return objects * dkeys * akeys * values;
  }

  /** Runs operation `number` of iteration `iteration` of a command. */
  run(command: PerfCommand, number: number, iteration: number): Promise<unknown> {
    const at = this.position(command, number, iteration);
    return command.letter === 'U' ? this.update(at, command) : this.fetch(at, command);
  }

  private counts(command: PerfCommand): Counts {
    const { shape } = this;
    const count = (name: 'objects' | 'dkeys' | 'akeys' | 'values'): number => {
      const asked = command[name] ?? shape[name];
      if (asked > shape[name]) throw new Error(`-R: ${asked} ${name}, the run has ${shape[name]}`);
      return asked;
    };
    return { objects: count('objects'), dkeys: count('dkeys'), akeys: count('akeys'), values: count('values') };
  }

  private position(command: PerfCommand, number: number, iteration: number): Position {
    const { objects, dkeys, akeys, values } = this.counts(command);
    const objectNo = number % objects;
    let rest = Math.floor(number / objects);
    const value = this.order[rest % values] ?? 0;
    rest = Math.floor(rest / values);
    const akeyNo = rest % akeys;
    const dkeyNo = Math.floor(rest / akeys) + (command.keepCounter ? iteration * dkeys : 0);
    const object = this.objects[objectNo];
    if (!object) throw new Error(`no object ${objectNo}`);
    const { shape } = this;
    const stamp = ((dkeyNo * shape.akeys + akeyNo) * shape.values + value) * shape.objects + objectNo;
    return { object, dkey: `blade${dkeyNo}`, akey: `akey-${akeyNo}`, value, stamp };
  }

  private async update(at: Position, command: PerfCommand): Promise<void> {
    const { size, array } = this.shape;
    const value = this.takeBuffer();
    if (size >= STAMPED_MIN) fillValue(value, at.stamp);
    if (array) {
      const { recx, from, to } = this.part(at, command);
      await at.object.update(undefined, at.dkey, [{ akey: at.akey, type: 'array', recordSize: 1, recxs: [recx], value: value.subarray(from, to) }]);
    } else {
      await at.object.update(undefined, at.dkey, [{ akey: at.akey, type: 'single', value }]);
    }
    this.buffers.push(value);
  }

  private async fetch(at: Position, command: PerfCommand): Promise<void> {
    const { recx, from, to } = this.part(at, command);
    const buffer = this.shape.array ? this.takeBuffer() : undefined;
    const iod = buffer
      ? ({ akey: at.akey, type: 'array', recordSize: 1, recxs: [recx], into: buffer.subarray(from, to) } as const)
      : ({ akey: at.akey, type: 'single' } as const);
    const [found] = await at.object.fetch(undefined, at.dkey, [iod]);
    const whole = buffer ? found?.present.length === 1 && found.present[0]?.nr === recx.nr : found?.data.length === to - from;
    if (!found || found.size === 0 || !whole) throw new Error(`${at.dkey}/${at.akey}: the value is not there as a whole`);
    if (command.letter === 'V' && to - from === this.shape.size && this.shape.size >= STAMPED_MIN) this.check(at, found.data);
    if (buffer) this.buffers.push(buffer);
  }

  private takeBuffer(): Buffer {
    return this.buffers.pop() ?? Buffer.alloc(this.shape.size);
  }

  /** A later value of the same akey overwrites a single value: the last one is there. */
  private check(at: Position, data: Uint8Array): void {
    const { array, values, objects } = this.shape;
    const expected = array ? at.stamp : at.stamp + (values - 1 - at.value) * objects;
    if (!verifyValue(data, expected)) throw new Error(`${at.dkey}/${at.akey}: wrong content`);
  }

  private part(at: Position, command: PerfCommand): { recx: { idx: bigint; nr: bigint }; from: number; to: number } {
    const { size: valueSize } = this.shape;
    const { offset: from = 0, size = valueSize - from } = command;
    return { recx: { idx: BigInt(at.value * valueSize + from), nr: BigInt(size) }, from, to: from + size };
  }
}

/** Fisher-Yates with a small generator (Numerical Recipes' LCG), so that a seed gives the same order everywhere. */
function shuffle(list: number[], seed: number): void {
  let state = seed >>> 0;
  for (let i = list.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = state % (i + 1);
    const moved = list[i] ?? 0;
    list[i] = list[j] ?? 0;
    list[j] = moved;
  }
}
