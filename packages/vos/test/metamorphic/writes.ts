import { Cond, type DerName, type Epoch, type Iod } from '@daos/common';

import type { DtxHandle, IodChecksums, VosArrayRemove, VosPunch, VosUpdate } from '../../src/index.js';
import { unitOid } from '../fixture.js';
import { OBJECTS, type Context, type IssueOptions } from './context.js';
import { INDEX_LIMIT, type Model } from './model.js';
import { checksumsOf, pick, randomIod, randomValue, show, showIod, shuffled } from './values.js';

/** More than this for the data file is written before the index is changed. */
const LATE_BYTES = 32 * 1024;
const FILE_BYTES_MIN = 4096;

/** A modification in a transaction. */
export interface InTransaction {
  readonly tx: number;
  readonly handle: DtxHandle;
  /** Made with the last modification: prepares the transaction, or commits it. */
  readonly end: 'none' | 'prepare' | 'commit';
  readonly dkey?: Uint8Array;
  /** Conditions that fail often. */
  readonly isPicky?: boolean;
}

/** Updates, punches and removals, in and out of transactions. */
export class Writes {
  constructor(private readonly context: Context) {}

  async update(epoch: Epoch, within?: InTransaction): Promise<boolean> {
    const { context } = this;
    const { random, history } = context;
    const id = random.below(OBJECTS);
    const dkey = within?.dkey ?? pick(random, context.dkeys);
    const flags = this.updateFlags(within?.isPicky === true);
    const iods: Iod[] = [];
    const values: Uint8Array[] = [];
    const checksums: (IodChecksums | undefined)[] = [];
    for (const akey of shuffled(random, context.akeys).slice(0, 1 + random.below(2))) {
      const iod = randomIod(random, akey, context.akeys.indexOf(akey), flags, within?.handle.isReal === false);
      const value = randomValue(random, iod);
      iods.push(iod);
      values.push(value);
      checksums.push(iod.size > 0 && random.below(2) === 0 ? checksumsOf(iod, value) : undefined);
    }
    // what was removed at an epoch is not written again at it
    if (!within && iods.some(({ akey }) => history.model.isRemovedAt(id, dkey, akey, epoch))) epoch = context.newEpoch();
    const request: VosUpdate = { oid: unitOid(id), flavours: context.flavours, epoch, flags, dkey, iods, values, checksums };
    const text = `update o${id} @${epoch} flags ${flags} d=${show(dkey)} ${iods.map(showIod).join(' ')}`;
    const isLate = fileBytesOf(iods, values) > LATE_BYTES;
    if (isLate) await context.settle();
    if (!within) context.updates.push({ id, dkey, epoch });
    return this.make(
      { text, epoch, isLate, within },
      () => context.container.update(request, within?.handle),
      (model) => model.update(id, request),
      (model, tx) => model.applyUpdate(id, request, tx),
    );
  }

  punch(epoch: Epoch, within?: InTransaction): Promise<boolean> {
    const { context } = this;
    const { random, flavours } = context;
    // often right on top of an update
    const target = within || random.below(3) > 0 || context.updates.length === 0 ? undefined : pick(random, context.updates);
    epoch = target?.epoch ?? epoch;
    const id = target?.id ?? random.below(OBJECTS);
    const flags = random.below(within?.isPicky ? 2 : 4) === 0 ? Cond.PUNCH : 0;
    // the keys of a transaction of several are its own
    const level = within?.dkey ? 1 + random.below(7) : random.below(8);
    const dkey = within?.dkey ?? target?.dkey ?? pick(random, context.dkeys);
    const request: VosPunch = {
      oid: unitOid(id),
      flavours,
      epoch,
      flags,
      ...(level > 0 ? { dkey } : {}),
      ...(level > 2 ? { akeys: shuffled(random, context.akeys).slice(0, 1 + random.below(2)) } : {}),
    };
    const text = `punch o${id} @${epoch} flags ${flags} d=${show(request.dkey)} a=${request.akeys?.map(show).join() ?? '-'}`;
    return this.make(
      { text, epoch, isLate: false, within },
      () => context.container.punch(request, within?.handle),
      (model) => model.punch(id, request),
      (model, tx) => model.applyPunch(id, request, tx),
    );
  }

  /** Undoes versions of an extent. Only when no transaction is open: what they wrote is theirs. */
  async remove(): Promise<void> {
    const { context } = this;
    const { random, flavours } = context;
    if (context.open.length > 0) return;
    const id = random.below(OBJECTS);
    // arrays lie below every other akey; mostly all versions up to some epoch
    const arrays = context.akeys.filter((_, at) => at % 2 === 1);
    const from = random.below(2) === 0 ? 0 : random.below(context.newest);
    const epr = { lo: BigInt(from), hi: BigInt(from + 1 + random.below(context.newest)) };
    const recx = { idx: BigInt(random.below(INDEX_LIMIT / 2)), nr: BigInt(1 + random.below(INDEX_LIMIT / 3)) };
    const request: VosArrayRemove = { oid: unitOid(id), flavours, epr, dkey: pick(random, context.dkeys), akey: pick(random, arrays.length > 0 ? arrays : context.akeys), recx };
    const text = `remove o${id} @${epr.lo}..${epr.hi} d=${show(request.dkey)} a=${show(request.akey)} ${recx.idx}+${recx.nr}`;
    await this.make(
      { text, epoch: epr.hi, isLate: false, within: undefined },
      () => context.container.arrayRemove(request),
      () => new Set(),
      (model) => model.applyRemove(id, request),
    );
  }

  private async make(
    { text, epoch, isLate, within }: { text: string; epoch: Epoch; isLate: boolean; within: InTransaction | undefined },
    run: () => Promise<void>,
    reasons: (model: Model) => Set<DerName>,
    apply: (model: Model, tx: number) => void,
  ): Promise<boolean> {
    const { context } = this;
    const tx = within?.tx ?? 0;
    context.note(tx === 0 ? text : `${text} in transaction ${tx}`);
    const change = {
      text,
      tx,
      epoch,
      apply: (model: Model): void => {
        model.as(tx, () => apply(model, tx));
        if (within && within.end !== 'none') model.prepare(tx);
        if (within?.end === 'commit') model.decide(tx, true);
      },
    };
    const options: IssueOptions = { isLate, mayWait: within !== undefined && within.handle.epoch < BigInt(context.newest) };
    return context.issue(run(), change, (model) => model.as(tx, () => reasons(model)), options);
  }

  private updateFlags(isPicky: boolean): number {
    const { random } = this.context;
    if (random.below(isPicky ? 2 : 4) > 0) return 0;
    return pick(random, [Cond.DKEY_INSERT, Cond.DKEY_UPDATE, Cond.AKEY_INSERT, Cond.AKEY_UPDATE, Cond.PER_AKEY]);
  }
}

function fileBytesOf(iods: readonly Iod[], values: readonly Uint8Array[]): number {
  let total = 0;
  iods.forEach((iod, i) => {
    const parts = iod.recxs.length > 0 ? iod.recxs.map(({ nr }) => Number(nr) * iod.size) : [values[i]?.length ?? 0];
    for (const bytes of parts) if (bytes >= FILE_BYTES_MIN) total += bytes;
  });
  return total;
}
