import { isDaosError, uuidFromBytes, type DerName, type Epoch, type KeyFlavour } from '@daos/common';
import { seededRandom, type Random } from '@daos/gurt';

import { DtxHandle, type DtxId, type KeyFlavours, type VosContainer } from '../../src/index.js';
import { turn } from '../umem/faulty_disk.js';
import { History, Mismatch, type Change } from './history.js';
import type { Model } from './model.js';
import { pick, randomKeys } from './values.js';

export const OBJECTS = 2;
export const EPOCH_NEWEST = 0xffff_ffff_ffff_ffffn;
const FLAVOURS: readonly KeyFlavour[] = ['hashed', 'uint64', 'lexical'];
/** A refusal arrives in this many microtasks; what is accepted needs a turn of the event loop at least. */
const REFUSAL_MICROTASKS = 8;
const CUT_TURNS_MAX = 12;

export type Reasons = (model: Model) => Set<DerName>;

export interface IssueOptions {
  /** It may be refused because of transactions, whatever the model says. */
  readonly mayWait?: boolean;
  /** It is applied when its data is durable. */
  readonly isLate?: boolean;
}

/** What a program works on: restarts, and faults that may hit. */
export interface World {
  readonly container: VosContainer;
  /** True: a crash may come while operations are under way. */
  readonly crashes: boolean;
  /** I/O errors may come from now on. */
  readonly isFaulty: boolean;
  /** Data that is not acknowledged may have been lost without the index knowing yet. */
  readonly isDataLost: boolean;
  /** The index takes no more modifications. */
  readonly isIndexDown: boolean;
}

export interface OpenTransaction {
  readonly tx: number;
  readonly id: DtxId;
  readonly epoch: Epoch;
}

/** What the steps of one program share. */
export class Context {
  random: Random;
  readonly flavours: KeyFlavours;
  readonly dkeys: readonly Uint8Array[];
  readonly akeys: readonly Uint8Array[];
  readonly history: History;
  newest = 10;
  /** Transactions with ids, ever; those that are prepared and not decided are also in `open`. */
  readonly transactions: OpenTransaction[] = [];
  open: OpenTransaction[] = [];
  /** Modifications of a transaction are being made, and more may follow. */
  isTransactionUnderWay = false;
  /** The step wants the crash now. */
  wantsCrash = false;
  readonly trace: string[] = [];
  /** Where updates outside of transactions went, for punches that collide with them. */
  readonly updates: { readonly id: number; readonly dkey: Uint8Array; readonly epoch: Epoch }[] = [];
  private nextTx = 1;
  /** Passed over: nothing was ever written at them. */
  private readonly spareEpochs: Epoch[] = [];
  private readonly ownedEpochs = new Set<Epoch>();
  private life = 0;
  private pending = new Set<Promise<void>>();
  private unexpected: unknown;

  constructor(
    seed: number,
    readonly world: World,
  ) {
    const random = seededRandom(seed);
    this.random = random;
    this.flavours = { dkey: pick(random, FLAVOURS), akey: pick(random, FLAVOURS) };
    this.dkeys = randomKeys(random, this.flavours.dkey, 4);
    this.akeys = randomKeys(random, this.flavours.akey, 4);
    this.history = new History(this.flavours);
  }

  get container(): VosContainer {
    return this.world.container;
  }

  note(what: string): void {
    this.trace.push(what);
  }

  writeEpoch(): Epoch {
    const epoch = BigInt(1 + this.random.below(this.newest));
    return this.random.below(10) < 7 || this.ownedEpochs.has(epoch) ? this.newEpoch() : epoch;
  }

  newEpoch(): Epoch {
    if (this.random.below(8) === 0) {
      const spare = BigInt(++this.newest);
      this.spareEpochs.push(spare);
      this.ownedEpochs.add(spare);
    }
    return BigInt(++this.newest);
  }

  /** For a transaction: nobody else writes at it. Sometimes one that is long past. */
  newTransactionEpoch(): Epoch {
    const old = this.random.below(3) === 0 ? this.spareEpochs.pop() : undefined;
    return old ?? this.newEpoch();
  }

  readEpoch(): Epoch {
    return this.random.below(2) === 0 ? EPOCH_NEWEST : BigInt(this.random.below(this.newest + 3));
  }

  newId(epoch: Epoch): DtxId {
    return { uuid: uuidFromBytes(this.random.bytes(16)), hlc: epoch };
  }

  /** A number for a transaction, whose epoch is its own. */
  takeTx(epoch: Epoch): number {
    this.ownedEpochs.add(epoch);
    return this.nextTx++;
  }

  /** A handle for reads of a transaction; usually none. */
  maybeReader(epoch: Epoch): DtxHandle | undefined {
    if (epoch === 0n || epoch > BigInt(this.newest) || this.random.below(3) > 0) return undefined;
    this.note('  in a transaction');
    return new DtxHandle({ id: this.newId(epoch), epoch, modificationCount: 0 });
  }

  /** Makes a modification in VOS and, when it was accepted, in the model. */
  async issue(done: Promise<unknown>, change: Change, reasons: Reasons, options: IssueOptions = {}): Promise<boolean> {
    if (options.isLate) return this.issueLate(done, change, reasons, options);
    const wasDown = this.world.isIndexDown;
    const refusal = await refusalOf(done);
    // an index that goes down right after the modification was made refuses it, too, although it may be on the disk
    const isMade = !refusal || (this.isFault(refusal.error) && this.world.isIndexDown && !wasDown);
    if (!isMade) return this.refuse(refusal.error, reasons, options);
    this.track(done, this.history.accepted(change, reasons));
    if (this.random.below(this.world.crashes ? 5 : 3) === 0) await this.settle();
    return true;
  }

  /** Transactions that are not decided stand in the way of others. */
  get isHindered(): boolean {
    return this.open.length > 0 || this.isTransactionUnderWay;
  }

  /** Waits for all that is under way. */
  async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.checkUnexpected();
  }

  checkUnexpected(): void {
    if (this.unexpected !== undefined) throw new Mismatch(`lost: ${String(this.unexpected)}`, { cause: this.unexpected });
  }

  /** The process ends: nothing that was under way counts any more. */
  ended(): void {
    this.life++;
    this.pending = new Set();
    this.wantsCrash = false;
    this.isTransactionUnderWay = false;
  }

  /** True for what an injected fault may have caused. */
  isFault(error: unknown): boolean {
    return this.world.isFaulty && isDaosError(error, 'NVME_IO', 'NOSPACE', 'IO');
  }

  private track(done: Promise<unknown>, count: number): void {
    const { life } = this;
    const settled: Promise<void> = done.then(
      () => {
        this.pending.delete(settled);
        if (life === this.life) this.history.acknowledge(count);
      },
      (error: unknown) => {
        this.pending.delete(settled);
        if (life === this.life && !this.isFault(error)) this.unexpected ??= error;
      },
    );
    this.pending.add(settled);
  }

  private refuse(error: unknown, reasons: Reasons, { mayWait = false }: IssueOptions): false {
    this.note(`  refused: ${error instanceof Error ? error.message.slice(0, 60) : String(error)}`);
    if (this.isFault(error)) return false;
    const isWait = isDaosError(error, 'INPROGRESS', 'TX_RESTART');
    this.history.refused(error, reasons, isWait && (mayWait || this.isHindered));
    return false;
  }

  private async issueLate(done: Promise<unknown>, change: Change, reasons: Reasons, options: IssueOptions): Promise<boolean> {
    const isCut = this.world.crashes && this.random.below(3) === 0 && reasons(this.history.model).size === 0;
    const outcome = await Promise.race([
      done.then(() => 'accepted' as const, (error: unknown) => ({ error })),
      ...(isCut ? [turns(this.random.below(CUT_TURNS_MAX)).then(() => 'cut' as const)] : []),
    ]);
    if (outcome === 'accepted') {
      this.history.acknowledge(this.history.accepted(change, reasons));
      return true;
    }
    if (outcome === 'cut') {
      this.note('  under way');
      this.wantsCrash = true;
      this.history.accepted(change, reasons);
      return true;
    }
    if (!this.isFault(outcome.error) || !this.world.isIndexDown) return this.refuse(outcome.error, reasons, options);
    this.note('  refused by the index that went down');
    // it would have been refused anyway, had the index not been down first
    if (reasons(this.history.model).size > 0) return false;
    // nobody knows whether it was applied before the index went down
    this.history.accepted(change, reasons);
    return true;
  }
}

/** Why a modification was refused at once; undefined: it is made. */
async function refusalOf(done: Promise<unknown>): Promise<{ error: unknown } | undefined> {
  let refusal: { error: unknown } | undefined;
  done.catch((error: unknown) => {
    refusal = { error };
  });
  for (let i = 0; i < REFUSAL_MICROTASKS && !refusal; i++) await Promise.resolve();
  return refusal;
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await turn();
}
