import { isDaosError, type DerName, type Epoch } from '@daos/common';
import type { Random } from '@daos/gurt';

import { MINOR_MAX, type PunchMark } from '../../src/ilog/punch_mark.js';
import { MINOR_REMOVE, type ExtentRef } from '../../src/value/extent/extent_ref.js';
import { ExtentIter } from '../../src/value/extent/iteration.js';
import { ExtentFlag } from '../../src/value/extent/sweep.js';
import { scanExtents } from '../../src/value/extent_scan.js';
import type { ValueRecord } from '../../src/value/value_record.js';
import { ExtentModel, type ModelRecord, type ModelView } from './extent_model.js';
import { ALL, ExtentRig, NEWEST, punchAt, recordOf, sees } from './extent_rig.js';

const WIDTH = 48;
const OWNERS = [10, 11];

export class Mismatch extends Error {}

/** A random program on one array, compared with the model after every step. */
export class ExtentProgram {
  readonly rig: ExtentRig;
  readonly story: string[] = [];
  private readonly model = new ExtentModel(WIDTH);
  private readonly base: bigint;
  private newest = 1;
  private lastId = 0;
  private writes = 0;

  constructor(
    private readonly random: Random,
    isSpilled: boolean,
  ) {
    this.rig = new ExtentRig(isSpilled);
    this.base = this.pick([0n, 0n, 1000n, 2n ** 63n, NEWEST - BigInt(WIDTH) + 1n]);
  }

  step(): void {
    const roll = this.random.below(20);
    if (roll < 10) this.write();
    else if (roll < 13) this.delete();
    else if (roll < 16) this.setOwner();
    else if (roll < 17) this.removeAll();
    else this.rig.reload();
    this.read();
    this.read();
    const look = this.random.below(6);
    if (look === 0) this.readEntries();
    else if (look === 1) this.readRecords();
    else if (look < 4) this.readScan();
  }

  /** Empties the array in slices. */
  end(): void {
    this.checkRows();
    const { rig, model } = this;
    if (this.random.below(2) === 0) {
      for (const record of this.shuffled(model.records)) {
        this.same('deleted', rig.extents.delete(rig.head, record), true);
        model.delete(record);
        this.read();
      }
    } else {
      let drained = 0;
      for (let slices = 0; ; slices++) {
        const slice = rig.extents.drain(rig.head, 1 + this.random.below(5));
        drained += slice.records;
        if (slice.isEmpty) break;
        if (slices > 1000) throw new Mismatch('draining does not end');
      }
      this.same('drained', drained, model.records.length);
    }
    this.same('rows at the end', rig.rows(), { live: 0, value: 0, time: 0 });
    this.same('values at the end', rig.head.values.length, 0);
    this.same('records freed', rig.freed.length, this.writes);
  }

  private write(): void {
    const from = this.random.below(WIDTH);
    const to = Math.min(WIDTH - 1, from + this.pick([0, 1, 2, 5, 13, 40]));
    const known = this.random.below(4) === 0 ? this.pick(this.model.records) : undefined;
    const place = known && known.minor !== MINOR_REMOVE ? { from: known.from, to: known.to } : { from, to };
    const epoch = known ? known.epoch : BigInt(this.random.below(4) > 0 ? this.newest++ : 1 + this.random.below(this.newest));
    const minor = known && this.random.below(2) === 0 && known.minor !== MINOR_REMOVE ? known.minor : this.pick([1, 2, MINOR_MAX, MINOR_MAX, 16_384]);
    const bound = this.random.below(4) === 0 ? epoch + BigInt(this.random.below(4)) : epoch;
    this.writeAt(place.from, place.to, epoch, minor, bound);
  }

  private writeAt(from: number, to: number, epoch: Epoch, minor: number, bound: Epoch): void {
    const { rig, model } = this;
    const isHole = this.random.below(5) === 0;
    const owner = this.random.below(3) === 0 ? this.pick(OWNERS) : 0;
    this.note(`write [${from}-${to}]@${epoch}.${minor} bound ${bound} owner ${owner}${isHole ? ' hole' : ''}`);
    const want = model.check({ from, to, epoch, minor, bound });
    const place = { lo: this.index(from), hi: this.index(to), epoch };
    let given: number;
    try {
      given = rig.extents.check(rig.head, { ...place, minor, bound, size: isHole ? 0 : 4 });
    } catch (error) {
      if (want.refusal && isDaosError(error, want.refusal as DerName)) return;
      throw error;
    }
    if (want.refusal) throw new Mismatch(`${want.refusal} was expected`);
    this.same('minor', given, want.minor);
    const id = ++this.lastId;
    const text = isHole ? undefined : String(id).padStart(4, '0').repeat(to - from + 1);
    this.spillEarly();
    rig.extents.write(rig.head, recordOf(place.lo, place.hi, epoch, given, isHole ? 0 : 4, text, owner));
    model.put({ ...place, minor: given, from, to, owner, isHole, id });
    this.writes++;
  }

  private delete(): void {
    const { rig, model } = this;
    const known = this.pick(model.records);
    if (!known) return;
    const isMissing = this.random.below(5) === 0;
    const target = isMissing ? { ...known, minor: 7 } : known;
    this.note(`delete [${known.from}-${known.to}]@${known.epoch}.${target.minor}`);
    this.same('found', rig.extents.delete(rig.head, target), !isMissing);
    model.delete(target);
  }

  private setOwner(): void {
    const { rig, model } = this;
    const owned = model.records.filter(({ owner }) => owner > 1);
    const known = this.pick(owned);
    if (!known) return;
    const owner = this.random.below(3) > 0 ? 0 : 1;
    this.note(`owner of [${known.from}-${known.to}]@${known.epoch}.${known.minor} is ${owner}`);
    this.same('found', rig.extents.setOwner(rig.head, known, owner), true);
    model.setOwner(known, owner);
  }

  private removeAll(): void {
    const { rig, model } = this;
    const from = this.random.below(WIDTH);
    const to = Math.min(WIDTH - 1, from + this.random.below(WIDTH));
    const lo = BigInt(this.random.below(this.newest));
    const hi = lo + BigInt(this.random.below(this.newest));
    const owner = this.random.below(3) === 0 ? this.pick(OWNERS) : 0;
    this.note(`remove [${from}-${to}] from ${lo} to ${hi} owner ${owner}`);
    const want = model.removals(from, to, lo, hi);
    this.spillEarly();
    const removed = rig.extents.removeAll(rig.head, this.index(from), this.index(to), { lo, hi }, owner);
    const show = (list: readonly { epoch: Epoch; lo: bigint; hi: bigint }[]): string[] => list.map((r) => `${r.lo}-${r.hi}@${r.epoch}`).sort();
    this.same('removals', show(removed), show(want.map((r) => ({ epoch: r.epoch, lo: this.index(r.from), hi: this.index(r.to) }))));
    for (const run of want) {
      const name = { lo: this.index(run.from), hi: this.index(run.to), epoch: run.epoch, minor: MINOR_REMOVE };
      model.put({ ...run, ...name, owner, isHole: true, id: ++this.lastId });
      this.writes++;
    }
  }

  private read(): void {
    const from = this.random.below(WIDTH);
    const to = Math.min(WIDTH - 1, from + this.random.below(WIDTH));
    const view = this.view();
    const { rig, model } = this;
    const got = rig.extents.visible(rig.head, this.index(from), this.index(to), view.epoch, view.punch, sees(...view.owners));
    const want = model.pieces(view, from, to);
    this.same(
      `read [${from}-${to}] ${showView(view)}`,
      got.map(({ lo, hi, record }) => `${lo}-${hi} ${idOf(record)}`),
      want.map((piece) => `${this.index(piece.from)}-${this.index(piece.to)} ${idOfModel(piece.record)}`),
    );
  }

  /** The sorted iteration shows what the picture shows, and no index of a record is lost. */
  private readEntries(): void {
    const { rig, model } = this;
    const view = { ...this.view(), epoch: NEWEST };
    const iteration = { ...ALL, epr: ALL, punch: view.punch, viewer: sees(...view.owners), flags: 0 };
    const entries = rig.extents.entries(rig.head, iteration);
    const picture = model.picture(view);
    const seen = Array<string>(WIDTH).fill('');
    let indices = 0;
    for (const { lo, hi, record, flags } of entries) {
      indices += Number(hi - lo) + 1;
      if (!(flags & ExtentFlag.VISIBLE)) continue;
      for (let i = lo; i <= hi; i++) seen[Number(i - this.base)] += idOf(record);
    }
    this.same(`entries ${showView(view)}`, seen, picture.map((record) => (record ? idOfModel(record) : '')));
    const records = model.records.filter(({ owner }) => owner === 0 || view.owners.includes(owner));
    this.same('indices in entries', indices, records.reduce((sum, { from, to }) => sum + to - from + 1, 0));
    const reversed = rig.extents.entries(rig.head, { ...iteration, flags: ExtentIter.REVERSE });
    this.same('reverse', reversed.map((e) => `${e.lo} ${idOf(e.record)}`), entries.reverse().map((e) => `${e.lo} ${idOf(e.record)}`));
  }

  private readRecords(): void {
    const got = this.rig.records(1 + this.random.below(6)).map(({ record }) => record);
    const want = this.model.records.slice().sort((a, b) => {
      if (a.lo !== b.lo) return a.lo < b.lo ? -1 : 1;
      if (a.hi !== b.hi) return a.hi < b.hi ? -1 : 1;
      return a.epoch === b.epoch ? b.minor - a.minor : a.epoch > b.epoch ? -1 : 1;
    });
    const show = (r: ExtentRef): string => `${r.lo}-${r.hi}@${r.epoch}.${r.minor}`;
    this.same('records', got.map(show), want.map(show));
    this.same('owners', got.map(({ owner }) => owner), want.map(({ owner }) => owner));
    const bounds = this.rig.extents.bounds(this.rig.head);
    const last = want.reduce((hi, r) => (r.hi > hi ? r.hi : hi), -1n);
    this.same('bounds', bounds && [bounds.lo, bounds.hi], want[0] && [want[0].lo, last]);
  }

  private readScan(): void {
    const view = this.view();
    const descending = this.random.below(2) === 0;
    const start = this.random.below(WIDTH);
    const limit = 1 + this.random.below(4);
    const { rig, model } = this;
    const viewer = sees(...view.owners);
    const punch = view.punch ?? punchAt(0, 0);
    const got = scanExtents(rig.extents, { head: rig.head, epoch: view.epoch, punch, viewer, from: this.index(start), descending, limit });
    const all = (descending ? model.pieces(view, 0, start).reverse() : model.pieces(view, start)).filter(({ record }) => !record.isHole);
    const want = all.map((piece) => `${this.index(piece.from)}-${this.index(piece.to)} ${idOfModel(piece.record)}`);
    const shown = got.map(({ lo, hi, record }) => `${lo}-${hi} ${idOf(record)}`);
    const count = Math.min(limit, want.length);
    this.same(`scan from ${start} ${descending ? 'down' : 'up'} ${showView(view)}`, shown.slice(0, count), want.slice(0, count));
    this.same('scan goes on', shown.length >= count, true);
  }

  /** Every record stands once; covered ones are filed by place and by age. */
  private checkRows(): void {
    const { rig, model } = this;
    if (!rig.head.isSpilled) return;
    const rows = rig.rows();
    this.same('filed by age', rows.time, rows.value);
    const whole = rig.extents.overlapping(rig.head, ALL, ALL).length;
    this.same('records', whole, model.records.length);
  }

  private view(): ModelView {
    const epoch = this.random.below(2) === 0 ? NEWEST : BigInt(this.random.below(this.newest + 1));
    const owners = this.pick([[], [10], [11], [10, 11]]);
    const punch: PunchMark | undefined = this.random.below(4) === 0 ? punchAt(this.random.below(this.newest), this.pick([1, MINOR_MAX, 0xffff])) : undefined;
    return { epoch, owners, punch };
  }

  private spillEarly(): void {
    const { rig } = this;
    if (!rig.isSpilled || rig.head.isSpilled) return;
    rig.head.isSpilled = true;
    rig.head.hasLive = true;
  }

  private index(at: number): bigint {
    return this.base + BigInt(at);
  }

  private note(what: string): void {
    this.story.push(what);
  }

  private same(what: string, got: unknown, want: unknown): void {
    const text = (x: unknown): string => JSON.stringify(x, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)) ?? 'undefined';
    if (text(got) !== text(want)) throw new Mismatch(`${what}: got ${text(got)}, want ${text(want)}`);
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)] as T;
  }

  private shuffled<T>(from: readonly T[]): T[] {
    return from.map((item) => ({ item, rank: this.random.next() })).sort((a, b) => a.rank - b.rank).map(({ item }) => item);
  }
}

function idOf(record: ValueRecord): string {
  return record.isHole ? `hole@${record.epoch}.${record.minor}` : String(Number(Buffer.from(record.data.subarray(0, 4)).toString()));
}

function idOfModel(record: ModelRecord): string {
  return record.isHole ? `hole@${record.epoch}.${record.minor}` : String(record.id);
}

function showView({ epoch, owners, punch }: ModelView): string {
  return `@${epoch} as ${owners.join('+')}${punch ? ` punched ${punch.epoch}.${punch.minor}` : ''}`;
}

