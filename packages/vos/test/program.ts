import { crc32 } from 'node:zlib';

import { Cond, IodType, QueryFlag, isDaosError, uuidGenerate, type DerName, type Epoch, type Iod, type KeyFlavour } from '@daos/common';
import type { Random } from '@daos/gurt';

import { DtxHandle, type DtxId, type IodChecksums, type KeyFlavours, type VosContainer, type VosPage, type VosPiece, type VosQuery } from '../src/index.js';
import { chunkCount, recordsPerChunk } from '../src/value/chunks.js';
import { array, number64, single, unitOid } from './fixture.js';
import { INDEX_LIMIT, Model, compareKeys } from './model.js';

const FLAVOURS: readonly KeyFlavour[] = ['hashed', 'uint64', 'lexical'];
const CHUNK_BYTES = 16;
const OBJECTS = 2;

/** Thrown when VOS and the model disagree; the message tells the step. */
class Mismatch extends Error {}

/** A random program against one container and the model beside it. */
export class Program {
  readonly flavours: KeyFlavours;
  private readonly model: Model;
  private readonly dkeys: Uint8Array[];
  private readonly akeys: Uint8Array[];
  private newest = 10;
  private pending: Promise<unknown>[] = [];
  private readonly trace: string[] = [];
  /** Transactions that are prepared: their numbers in the model, and their handles. */
  private readonly open: { tx: number; handle: DtxHandle }[] = [];
  private nextTx = 1;

  constructor(
    private readonly random: Random,
    public container: VosContainer,
  ) {
    this.flavours = { dkey: this.pick(FLAVOURS), akey: this.pick(FLAVOURS) };
    this.model = new Model(this.flavours);
    this.dkeys = this.keys(this.flavours.dkey, 4);
    this.akeys = this.keys(this.flavours.akey, 4);
  }

  /** One random step. Throws with the whole program so far when VOS and the model disagree. */
  async step(): Promise<void> {
    try {
      const roll = this.random.below(100);
      if (this.open.length > 0 && this.random.below(6) === 0) await this.decide();
      if (roll < 40) await this.update();
      else if (roll < 55) await this.punch();
      else if (roll < 80) await this.fetch();
      else if (roll < 93) await this.list();
      else this.query();
    } catch (error) {
      throw new Mismatch(`${String(error)}\nprogram (${JSON.stringify(this.flavours)}):\n${this.trace.join('\n')}`, { cause: error });
    }
  }

  async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.pending = [];
  }

  note(what: string): void {
    this.trace.push(what);
  }

  private async update(): Promise<void> {
    const epoch = this.writeEpoch();
    const id = this.random.below(OBJECTS);
    const dkey = this.pick(this.dkeys);
    const iods: Iod[] = [];
    const values: Uint8Array[] = [];
    const checksums: (IodChecksums | undefined)[] = [];
    const flags = this.updateFlags();
    const count = 1 + this.random.below(2);
    for (const akey of this.shuffled(this.akeys).slice(0, count)) {
      const iod = this.iod(akey, flags);
      const value = this.random.bytes(iod.type === IodType.SINGLE ? iod.size : iod.size * sum(iod));
      iods.push(iod);
      values.push(value);
      checksums.push(iod.size > 0 && this.random.below(2) === 0 ? checksumsOf(iod, value) : undefined);
    }
    this.note(`update o${id} @${epoch} flags ${flags} d=${show(dkey)} ${iods.map(showIod).join(' ')}`);
    const request = { oid: unitOid(id), flavours: this.flavours, epoch, flags, dkey, iods, values, checksums };
    // what goes to the data file is applied later: the model must not run ahead
    const isLate = values.some((value) => value.length >= 4096);
    if (isLate) await this.settle();
    const handle = this.maybeTransaction(epoch);
    const errors = this.model.update(id, request);
    const isApplied = await this.expect(errors, this.container.update(request, handle), isLate || handle !== undefined);
    if (isApplied) this.model.applyUpdate(id, request, this.opened(handle));
  }

  /** Sometimes a transaction of one modification, which is decided later. */
  private maybeTransaction(epoch: Epoch): DtxHandle | undefined {
    // an epoch that is not the newest may be another one's
    if (epoch !== BigInt(this.newest) || this.random.below(3) > 0) return undefined;
    this.note('in a transaction:');
    return new DtxHandle({ id: { uuid: uuidGenerate(), hlc: epoch }, epoch });
  }

  private opened(handle: DtxHandle | undefined): number {
    if (!handle) return 0;
    const tx = this.nextTx++;
    this.open.push({ tx, handle });
    this.note(`  it is number ${tx}`);
    return tx;
  }

  /** Commits or aborts one that is open. */
  private async decide(): Promise<void> {
    const [{ tx, handle }] = this.open.splice(this.random.below(this.open.length), 1) as [(typeof this.open)[0]];
    const isCommitted = this.random.below(3) > 0;
    this.note(`${isCommitted ? 'commit' : 'abort'} number ${tx}`);
    const id = handle.id as DtxId;
    if (isCommitted) this.same('committed', await this.container.dtxCommit([id]), 1);
    else await this.container.dtxAbort(id, handle.epoch);
    this.model.decide(tx, isCommitted);
  }

  private async punch(): Promise<void> {
    const id = this.random.below(OBJECTS);
    const epoch = this.writeEpoch();
    const flags = this.random.below(4) === 0 ? Cond.PUNCH : 0;
    const level = this.random.below(8);
    const request = {
      oid: unitOid(id),
      flavours: this.flavours,
      epoch,
      flags,
      ...(level > 0 ? { dkey: this.pick(this.dkeys) } : {}),
      ...(level > 2 ? { akeys: this.shuffled(this.akeys).slice(0, 1 + this.random.below(2)) } : {}),
    };
    this.note(`punch o${id} @${epoch} flags ${flags} d=${show(request.dkey)} a=${request.akeys?.map(show).join(',')}`);
    const handle = this.maybeTransaction(epoch);
    const errors = this.model.punch(id, request);
    const isApplied = await this.expect(errors, this.container.punch(request, handle), handle !== undefined);
    if (isApplied) this.model.applyPunch(id, request, this.opened(handle));
  }

  private async fetch(): Promise<void> {
    const id = this.random.below(OBJECTS);
    const epoch = this.readEpoch();
    const dkey = this.pick(this.dkeys);
    const flags = this.pick([0, 0, 0, Cond.DKEY_FETCH, Cond.AKEY_FETCH]);
    const akey = this.pick(this.akeys);
    const lo = this.random.below(INDEX_LIMIT / 2);
    const iod = this.random.below(2) === 0 ? single(akey, 0) : array(akey, 0, [lo, 1 + this.random.below(INDEX_LIMIT / 2)]);
    const sizeOnly = this.random.below(8) === 0;
    this.note(`fetch o${id} @${epoch} flags ${flags} d=${show(dkey)} ${showIod(iod)}`);
    const expected = this.model.fetch(id, dkey, iod, epoch);
    const missing = (flags === Cond.DKEY_FETCH && !expected.dkey) || (flags === Cond.AKEY_FETCH && !expected.akey);
    let got: Awaited<ReturnType<VosContainer['fetch']>>;
    try {
      got = await this.container.fetch({ oid: unitOid(id), flavours: this.flavours, epoch, flags, dkey, iods: [iod], sizeOnly });
    } catch (error) {
      if (missing && isDaosError(error, 'NONEXIST')) return;
      throw error;
    }
    this.same('condition', missing, false);
    const pieces = got[0]?.pieces ?? [];
    this.same('pieces', pieces.map((p) => `${p.recx.idx}+${p.recx.nr}@${p.epoch}`), expected.pieces.map((p) => `${p.lo}+${p.hi - p.lo + 1}@${p.epoch}`));
    pieces.forEach((piece, i) => {
      const want = expected.pieces[i]?.data ?? new Uint8Array(0);
      this.same('size', got[0]?.size, iod.type === IodType.SINGLE ? want.length : want.length / Number(piece.recx.nr));
      if (sizeOnly) return;
      this.same('data', Buffer.compare(piece.data, want), 0);
      checkStored(piece, got[0]?.size ?? 0, iod.type === IodType.SINGLE);
    });
    if (pieces.length === 0) this.same('size of nothing', got[0]?.size, 0);
  }

  private async list(): Promise<void> {
    const id = this.random.below(OBJECTS);
    const epoch = this.readEpoch();
    const epr = { lo: 0n, hi: epoch };
    const oid = unitOid(id);
    const limit = 1 + this.random.below(4);
    const common = { oid, flavours: this.flavours, epr, limit };
    const dkey = this.pick(this.dkeys);
    const akey = this.pick(this.akeys);
    const { container, model } = this;
    switch (this.random.below(5)) {
      case 0: {
        this.note(`list dkeys o${id} @${epoch}`);
        const start = this.random.below(2) === 0 ? undefined : container.keyToAnchor({ oid, flavours: this.flavours, dkey });
        const got = pages((anchor) => container.listDkeys(withAnchor(common, anchor)), start);
        return this.sameKeys(got, model.listDkeys(id, epoch), this.flavours.dkey, start && dkey);
      }
      case 1: {
        this.note(`list akeys o${id} @${epoch} d=${show(dkey)}`);
        const start = this.random.below(2) === 0 ? undefined : container.keyToAnchor({ oid, flavours: this.flavours, dkey, akey });
        const got = pages((anchor) => container.listAkeys({ ...withAnchor(common, anchor), dkey }), start);
        return this.sameKeys(got, model.listAkeys(id, dkey, epoch), this.flavours.akey, start && akey);
      }
      case 2: {
        this.note(`list objects @${epoch}`);
        const got = pages((anchor) => container.listObjects(epr, limit, anchor));
        return this.same('objects', got.map(({ oid: { lo } }) => Number(lo)).sort(), model.listObjects(epoch).sort());
      }
      default: {
        const descending = this.random.below(2) === 0;
        this.note(`list recxs o${id} @${epoch} d=${show(dkey)} a=${show(akey)} descending=${descending}`);
        const got = pages((anchor) => container.listRecxs({ ...withAnchor(common, anchor), dkey, akey, descending }));
        const whole = array(akey, 0, [0, INDEX_LIMIT]);
        const pieces = model.fetch(id, dkey, whole, epoch).pieces;
        const singles = model.fetch(id, dkey, single(akey, 0), epoch).pieces;
        const want = [...pieces, ...singles].map((p) => `${p.lo}+${p.hi - p.lo + 1}@${p.epoch}`);
        return this.same('recxs', got.map(({ recx, epoch: e }) => `${recx.idx}+${recx.nr}@${e}`), descending ? want.reverse() : want);
      }
    }
  }

  private query(): void {
    const id = this.random.below(OBJECTS);
    let flags = this.pick([QueryFlag.MAX, QueryFlag.MIN]) as number;
    if (this.flavours.dkey === 'uint64' && this.random.below(3) > 0) flags |= QueryFlag.DKEY;
    if (this.flavours.akey === 'uint64' && this.random.below(3) > 0) flags |= QueryFlag.AKEY;
    if (this.random.below(3) > 0 || !(flags & (QueryFlag.DKEY | QueryFlag.AKEY))) flags |= QueryFlag.RECX;
    const request: VosQuery = {
      oid: unitOid(id),
      flavours: this.flavours,
      epoch: this.readEpoch(),
      flags,
      dkey: this.pick(this.dkeys),
      akey: this.pick(this.akeys),
    };
    this.note(`query o${id} @${request.epoch} flags ${flags} d=${show(request.dkey)} a=${show(request.akey)}`);
    const want = this.model.query(id, request);
    try {
      const got = this.container.queryKey(request);
      this.same('query', [show(got.dkey), show(got.akey), got.recx?.idx, got.recx?.nr], [show(want?.dkey), show(want?.akey), want?.recx?.idx, want?.recx?.nr]);
      this.same('max write', got.maxWrite, this.model.maxWrite(id));
    } catch (error) {
      if (want !== undefined || !isDaosError(error, 'NONEXIST')) throw error;
    }
  }

  /** True when it was done. What depends on an open transaction may be refused. */
  private async expect(errors: Set<DerName>, done: Promise<void>, isLate: boolean): Promise<boolean> {
    const mayWait = this.open.length > 0;
    if (errors.size > 0 || mayWait || isLate) {
      const outcome = await done.then(
        () => 'accepted',
        (error: unknown) => error,
      );
      if (outcome !== 'accepted' && (mayWait || isLate) && isDaosError(outcome, 'INPROGRESS', 'TX_RESTART')) return false;
      if (errors.size === 0 && outcome === 'accepted') return true;
      if (errors.size === 0) throw outcome;
      if (!isDaosError(outcome, ...errors)) throw new Mismatch(`expected one of ${[...errors].join()}, got ${String(outcome)}`);
      return false;
    }
    if (this.random.below(3) === 0) await done;
    else this.pending.push(done);
    return true;
  }

  private iod(akey: Uint8Array, flags: number): Iod {
    const own = flags & Cond.PER_AKEY ? this.pick([0, 0, Cond.AKEY_INSERT, Cond.AKEY_UPDATE]) : undefined;
    // mostly one kind per key, so that programs get somewhere
    const isSingle = (this.akeys.indexOf(akey) % 2 === 0) !== (this.random.below(20) === 0);
    const isPunch = this.random.below(8) === 0;
    if (isSingle) return single(akey, isPunch ? 0 : this.pick([1, 20, 64, 700, 1500, 5000]), own);
    const recordSize = this.random.below(30) === 0 ? 3 : this.akeys.indexOf(akey) === 1 ? 1 : 24;
    const recxs: [number, number][] = [];
    let at = 0;
    for (let i = 1 + this.random.below(2); i > 0; i--) {
      at += this.random.below(INDEX_LIMIT / 4);
      const nr = this.pick([1, 2, 7, 40, 200]);
      if (at + nr > INDEX_LIMIT) break;
      recxs.push([at, nr]);
      at += nr;
    }
    return { ...array(akey, isPunch ? 0 : recordSize, ...recxs), ...(own === undefined ? {} : { flags: own }) };
  }

  private updateFlags(): number {
    if (this.random.below(4) > 0) return 0;
    return this.pick([Cond.DKEY_INSERT, Cond.DKEY_UPDATE, Cond.AKEY_INSERT, Cond.AKEY_UPDATE, Cond.PER_AKEY]);
  }

  private writeEpoch(): Epoch {
    const roll = this.random.below(10);
    const epoch = BigInt(1 + this.random.below(this.newest));
    // the epoch of an open transaction is its own
    const isTaken = this.open.some(({ handle }) => handle.epoch === epoch);
    return roll < 7 || isTaken ? BigInt(++this.newest) : epoch;
  }

  private readEpoch(): Epoch {
    return this.random.below(2) === 0 ? 0xffff_ffff_ffff_ffffn : BigInt(this.random.below(this.newest + 3));
  }

  private keys(flavour: KeyFlavour, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, i) => {
      if (flavour === 'uint64') return number64([1, 255, 256, 70_000][i] as number);
      const length = this.pick([1, 3, 15, 16, 40, 120]);
      const key = Buffer.alloc(length, 0x61 + this.random.below(2));
      key[length - 1] = i;
      return key;
    }).filter((key, i, all) => all.findIndex((other) => Buffer.compare(other, key) === 0) === i);
  }

  private sameKeys(got: Uint8Array[], all: Uint8Array[], flavour: KeyFlavour, from: Uint8Array | undefined): void {
    if (flavour === 'hashed') {
      // the order means nothing, so a start in the middle shows some of them
      const want = all.map(show).sort();
      const shown = got.map(show);
      if (from === undefined) this.same('keys', shown.sort(), want);
      else this.same('no stranger, none twice', shown.length, new Set(shown.filter((k) => want.includes(k))).size);
      if (from !== undefined && want.includes(show(from))) this.same('first key', shown[0], show(from));
      return;
    }
    const want = all.sort((a, b) => compareKeys(a, b, flavour)).filter((key) => !from || compareKeys(key, from, flavour) >= 0);
    this.same('keys', got.map(show), want.map(show));
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

function pages<T>(next: (anchor: Uint8Array | undefined) => VosPage<T>, start?: Uint8Array): T[] {
  const all: T[] = [];
  let anchor = start;
  do {
    const page = next(anchor);
    all.push(...page.items);
    anchor = page.next;
    if (anchor && anchor.length > 104) throw new Mismatch(`an anchor of ${anchor.length} bytes`);
  } while (anchor);
  return all;
}

function withAnchor<T extends object>(params: T, anchor: Uint8Array | undefined): T & { anchor?: Uint8Array } {
  return anchor ? { ...params, anchor } : { ...params };
}

function sum(iod: Iod): number {
  return iod.recxs.reduce((total, { nr }) => total + Number(nr), 0);
}

function crc(data: Uint8Array): Buffer {
  const digest = Buffer.alloc(4);
  digest.writeUInt32LE(crc32(data));
  return digest;
}

/** Checksums as a client computes them: one per value, or per chunk of each extent. */
function checksumsOf(iod: Iod, value: Uint8Array): IodChecksums {
  const sums: Buffer[] = [];
  if (iod.type === IodType.SINGLE) sums.push(crc(value));
  let at = 0;
  for (const { idx, nr } of iod.recxs) {
    sums.push(...chunkSums(idx, idx + nr - 1n, iod.size, value.subarray(at, at + Number(nr) * iod.size)));
    at += Number(nr) * iod.size;
  }
  return { type: 2, chunkBytes: CHUNK_BYTES, length: 4, bytes: Buffer.concat(sums) };
}

function chunkSums(lo: bigint, hi: bigint, size: number, data: Uint8Array): Buffer[] {
  const perChunk = recordsPerChunk(CHUNK_BYTES, size);
  const sums: Buffer[] = [];
  for (let i = lo; i <= hi; ) {
    const end = (i / perChunk + 1n) * perChunk - 1n;
    const last = end < hi ? end : hi;
    sums.push(crc(data.subarray(Number(i - lo) * size, Number(last + 1n - lo) * size)));
    i = last + 1n;
  }
  if (sums.length !== chunkCount(lo, hi, perChunk)) throw new Mismatch('chunk count');
  return sums;
}

/** What is stored around a piece matches its checksums and contains the piece. */
function checkStored(piece: VosPiece, size: number, isSingle: boolean): void {
  const { stored } = piece;
  if (!stored) return;
  const { recx, data, checksums } = stored;
  const sums = isSingle ? [crc(data)] : chunkSums(recx.idx, recx.idx + recx.nr - 1n, size, data);
  if (Buffer.compare(Buffer.concat(sums), checksums.bytes) !== 0) throw new Mismatch('stored checksums do not fit');
  const at = isSingle ? 0 : Number(piece.recx.idx - recx.idx) * size;
  if (Buffer.compare(piece.data, data.subarray(at, at + piece.data.length)) !== 0) throw new Mismatch('stored data');
}

function show(key: Uint8Array | undefined): string {
  return key === undefined ? '-' : Buffer.from(key).toString('hex');
}

function showIod(iod: Iod): string {
  return `${show(iod.akey)}:${iod.type}:${iod.size}[${iod.recxs.map(({ idx, nr }) => `${idx}+${nr}`).join()}]${iod.flags ?? ''}`;
}
