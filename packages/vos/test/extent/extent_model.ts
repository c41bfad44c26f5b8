import type { Epoch } from '@daos/common';

import type { PunchMark } from '../../src/ilog/punch_mark.js';
import { MINOR_REMOVE, isSameExtent, type ExtentRef } from '../../src/value/extent/extent_ref.js';

/** A record as the model knows it: indices are small numbers above `base`. */
export interface ModelRecord extends ExtentRef {
  readonly from: number;
  readonly to: number;
  readonly owner: number;
  readonly isHole: boolean;
  /** Tells versions of one name apart. */
  readonly id: number;
}

export interface ModelView {
  readonly epoch: Epoch;
  readonly owners: readonly number[];
  readonly punch: PunchMark | undefined;
}

/** What an array should show, by looking at every record for every index. */
export class ExtentModel {
  records: ModelRecord[] = [];

  constructor(readonly width: number) {}

  put(record: ModelRecord): void {
    this.records = this.records.filter((other) => !isSameExtent(other, record));
    this.records.push(record);
  }

  delete(ref: ExtentRef): void {
    this.records = this.records.filter((other) => !isSameExtent(other, ref));
  }

  setOwner(ref: ExtentRef, owner: number): void {
    this.records = this.records.map((record) => (isSameExtent(record, ref) ? { ...record, owner } : record));
  }

  /** For each index the record that shows, undefined where nothing is. */
  picture(view: ModelView): (ModelRecord | undefined)[] {
    const shown = this.records
      .filter(({ epoch, minor, owner }) => {
        const isSeen = owner === 0 || view.owners.includes(owner);
        return epoch <= view.epoch && isSeen && !view.punch?.hides(epoch, minor);
      })
      .sort((a, b) => (a.epoch === b.epoch ? b.minor - a.minor : a.epoch > b.epoch ? -1 : 1));
    return Array.from({ length: this.width }, (_, index) => {
      const here = shown.filter(({ from, to }) => from <= index && index <= to);
      const removed = new Set(here.filter(({ minor }) => minor === MINOR_REMOVE).map(({ epoch }) => epoch));
      return here.find(({ epoch }) => !removed.has(epoch));
    });
  }

  /** The picture as runs of one record. */
  pieces(view: ModelView, from = 0, to = this.width - 1): { record: ModelRecord; from: number; to: number }[] {
    const pieces: { record: ModelRecord; from: number; to: number }[] = [];
    this.picture(view).forEach((record, index) => {
      if (!record || index < from || index > to) return;
      const last = pieces.at(-1);
      if (last?.record === record && last.to === index - 1) last.to = index;
      else pieces.push({ record, from: index, to: index });
    });
    return pieces;
  }

  /** Why a write is refused; undefined: it is not. `rebuilt` is the minor epoch it gets. */
  check(write: { from: number; to: number; epoch: Epoch; minor: number; bound: Epoch }): { refusal?: string; minor: number } {
    const { from, to, epoch, bound } = write;
    const others = this.records.filter((r) => r.owner !== 1 && r.from <= to && r.to >= from && r.epoch >= epoch && r.epoch <= bound);
    if (others.some((r) => r.epoch > epoch)) return { refusal: 'TX_RESTART', minor: write.minor };
    const isRebuilt = (minor: number): boolean => minor >= 16_384 && minor <= 32_767;
    const isRebuild = write.minor === 16_384;
    const cut = others.some((r) => r.minor === write.minor && !(r.from === from && r.to === to));
    if (cut && !isRebuild) return { refusal: 'VOS_PARTIAL_UPDATE', minor: write.minor };
    const minors = isRebuild ? others.filter((r) => isRebuilt(r.minor)).map((r) => r.minor + 1) : [];
    return { minor: Math.max(write.minor, ...minors) };
  }

  /** The removals that undo [from, to] at the epochs of a range: runs of indices for each epoch. */
  removals(from: number, to: number, lo: Epoch, hi: Epoch): { epoch: Epoch; from: number; to: number }[] {
    const live = this.records.filter((r) => r.owner !== 1 && r.epoch >= lo && r.epoch <= hi);
    const runs: { epoch: Epoch; from: number; to: number }[] = [];
    for (const epoch of new Set(live.map((r) => r.epoch))) {
      for (let index = from; index <= to; index++) {
        const here = live.filter((r) => r.epoch === epoch && r.from <= index && r.to >= index);
        if (here.length === 0 || here.some((r) => r.minor === MINOR_REMOVE)) continue;
        const last = runs.at(-1);
        if (last?.epoch === epoch && last.to === index - 1) last.to = index;
        else runs.push({ epoch, from: index, to: index });
      }
    }
    return runs;
  }
}
