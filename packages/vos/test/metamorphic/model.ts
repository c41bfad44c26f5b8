import { Cond, IodType, QueryFlag, type DerName, type Epoch, type Iod, type KeyFlavour, type Recx } from '@daos/common';

import type { VosArrayRemove } from '../../src/ops/remove.js';
import type { KeyFlavours, VosPunch, VosQuery, VosUpdate } from '../../src/types.js';

/**
 * What VOS should do, said as simply as possible: every version of everything in maps, every question answered by
 * looking at all of it. Array indices are small numbers here.
 */
type Log = Map<Epoch, Entry>;

/** An update or a punch; `tx`: of a transaction that is not decided. */
interface Entry {
  kind: 'U' | 'P';
  tx: number;
}

interface ModelRecord {
  epoch: Epoch;
  tx: number;
  lo: number;
  hi: number;
  /** Undefined: a hole. */
  data: Uint8Array | undefined;
  size: number;
}

interface ModelAkey {
  key: Uint8Array;
  log: Log;
  kind: IodType;
  recordSize: number;
  singles: Map<Epoch, { data: Uint8Array; tx: number }>;
  records: ModelRecord[];
  removedAt: Set<Epoch>;
}

interface ModelDkey {
  key: Uint8Array;
  log: Log;
  akeys: Map<string, ModelAkey>;
}

interface ModelObject {
  log: Log;
  maxWrite: Epoch;
  dkeys: Map<string, ModelDkey>;
}

interface Seen {
  exists: boolean;
  punch: Epoch;
  /** Newest punch, those of open transactions included: what writers go by. */
  anyPunch: Epoch;
  create: Epoch;
}

/** `none`: unknown, not prepared, or aborted. */
export type TxState = 'none' | 'prepared' | 'committed';

export interface ModelPiece {
  lo: number;
  hi: number;
  epoch: Epoch;
  data: Uint8Array;
}

export const INDEX_LIMIT = 600;

const TOP: Seen = { exists: true, punch: 0n, anyPunch: 0n, create: 0n };

/** What of a log is seen at `hi` below a parent by transaction `own`; nothing exists under what does not exist. */
function see(log: Log | undefined, hi: Epoch, parent: Seen, own: number): Seen {
  let create = 0n;
  let { punch, anyPunch } = parent;
  const entries = [...(log ?? [])];
  const newestFirst = entries.length > 1 ? entries.sort((a, b) => (a[0] < b[0] ? 1 : -1)) : entries;
  for (const [epoch, { kind, tx }] of newestFirst) {
    if (epoch > hi) continue;
    if (epoch <= parent.punch) break;
    if (kind === 'P' && epoch > anyPunch) anyPunch = epoch;
    if (tx !== 0 && tx !== own) continue;
    if (kind === 'P') {
      punch = epoch;
      break;
    }
    create = epoch;
  }
  return { exists: create !== 0n && parent.exists, punch, anyPunch, create };
}

/** True for whoever writes: what open transactions punch is gone for them, what they make is not there yet. */
function existsForWriter(seen: Seen): boolean {
  return seen.exists && seen.create > seen.anyPunch;
}

/** The part [lo, hi] of a record. */
function cut(record: ModelRecord, lo: number, hi: number): ModelRecord {
  return { ...record, lo, hi, data: record.data?.subarray((lo - record.lo) * record.size, (hi + 1 - record.lo) * record.size) };
}

/** An array without records is as if it had never been written. */
function takeBack(akey: ModelAkey, tx: number): void {
  const left = akey.records.filter((record) => record.tx !== tx);
  const isEmptied = left.length === 0 && akey.records.length > 0 && akey.removedAt.size === 0;
  akey.records = left;
  if (isEmptied) akey.recordSize = 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function compareKeys(a: Uint8Array, b: Uint8Array, flavour: KeyFlavour): number {
  if (flavour === 'uint64') return Buffer.compare(Buffer.from(a).reverse(), Buffer.from(b).reverse());
  return Buffer.compare(a, b);
}

export class Model {
  private readonly objects = new Map<number, ModelObject>();

  /** The transaction that looks: it sees what it wrote itself. 0: none. */
  own = 0;
  /** How far transactions are; those that left no trace are not in it. */
  private readonly transactions = new Map<number, TxState>();

  constructor(private readonly flavours: KeyFlavours) {}

  /** What `look` answers when a transaction asks. */
  as<T>(tx: number, look: () => T): T {
    this.own = tx;
    try {
      return look();
    } finally {
      this.own = 0;
    }
  }

  stateOf(tx: number): TxState {
    return this.transactions.get(tx) ?? 'none';
  }

  /** All its modifications are made: it survives a restart. */
  prepare(tx: number): void {
    this.transactions.set(tx, 'prepared');
  }

  /** What a restart does: transactions that were not prepared leave no trace. */
  dropUnprepared(transactions: Iterable<number>): void {
    for (const tx of transactions) if (this.stateOf(tx) === 'none') this.decide(tx, false);
  }

  private see(log: Log | undefined, hi: Epoch, parent: Seen): Seen {
    return see(log, hi, parent, this.own);
  }

  private sees(tx: number): boolean {
    return tx === 0 || tx === this.own;
  }

  /** Why the update must be refused (any of the errors will do); empty: it must not. */
  update(id: number, request: VosUpdate): Set<DerName> {
    const errors = new Set<DerName>();
    const { epoch, flags } = request;
    const object = this.objects.get(id);
    const atObject = this.see(object?.log, epoch, TOP);
    const dkey = object?.dkeys.get(hex(request.dkey));
    const atDkey = this.see(dkey?.log, epoch, atObject);
    const [objectExists, dkeyExists] = [existsForWriter(atObject), existsForWriter(atObject) && existsForWriter(atDkey)];
    if (dkeyExists && flags & Cond.DKEY_INSERT) errors.add('EXIST');
    const perAkey = (flags & Cond.PER_AKEY) !== 0;
    const mustExist = Cond.DKEY_UPDATE | (perAkey ? 0 : Cond.AKEY_UPDATE);
    if (!dkeyExists && flags & mustExist) errors.add('NONEXIST');
    if (!objectExists && object?.log.get(epoch)?.kind === 'P') errors.add('NO_PERM');
    if (!dkeyExists && dkey?.log.get(epoch)?.kind === 'P') errors.add('NO_PERM');
    for (const iod of request.iods) this.checkIod(iod, dkey?.akeys.get(hex(iod.akey)), atDkey, dkeyExists, request, errors);
    return errors;
  }

  private checkIod(iod: Iod, akey: ModelAkey | undefined, atDkey: Seen, dkeyExists: boolean, request: VosUpdate, errors: Set<DerName>): void {
    const { epoch, flags } = request;
    const at = this.see(akey?.log, epoch, atDkey);
    const exists = dkeyExists && existsForWriter(at);
    const conditions = flags & Cond.PER_AKEY ? (iod.flags ?? 0) : flags;
    if (exists && conditions & Cond.AKEY_INSERT) errors.add('EXIST');
    if (!exists && conditions & Cond.AKEY_UPDATE) errors.add('NONEXIST');
    if (!akey) return;
    if (!exists && akey.log.get(epoch)?.kind === 'P') errors.add('NO_PERM');
    if (akey.kind !== IodType.NONE && akey.kind !== iod.type) errors.add('NO_PERM');
    if (iod.type !== IodType.ARRAY) return;
    if (iod.size > 0 && akey.recordSize > 0 && akey.recordSize !== iod.size) errors.add('INVAL');
    for (const { idx, nr } of iod.recxs) {
      const [lo, hi] = [Number(idx), Number(idx + nr) - 1];
      const cut = (r: ModelRecord): boolean =>
        r.epoch === epoch && r.lo <= hi && r.hi >= lo && !(r.lo === lo && r.hi === hi);
      if (nr > 0n && akey.records.some(cut)) errors.add('VOS_PARTIAL_UPDATE');
    }
  }

  /** Applies an update that was not refused. `tx`: the transaction whose decision it waits for. */
  applyUpdate(id: number, request: VosUpdate, tx = 0): void {
    const { epoch } = request;
    const { object, dkey } = this.make(id, request.dkey);
    const atObject = this.see(object.log, epoch, TOP);
    const atDkey = this.see(dkey.log, epoch, atObject);
    const [objectExists, dkeyExists] = [existsForWriter(atObject), existsForWriter(atObject) && existsForWriter(atDkey)];
    if (!objectExists) object.log.set(epoch, { kind: 'U', tx });
    if (!dkeyExists) dkey.log.set(epoch, { kind: 'U', tx });
    if (epoch > object.maxWrite) object.maxWrite = epoch;
    request.iods.forEach((iod, i) => {
      const akey = this.makeAkey(dkey, iod.akey);
      if (!dkeyExists || !existsForWriter(this.see(akey.log, epoch, atDkey))) akey.log.set(epoch, { kind: 'U', tx });
      akey.kind = iod.type;
      const value = request.values[i] ?? new Uint8Array(0);
      if (iod.type === IodType.SINGLE) akey.singles.set(epoch, { data: iod.size === 0 ? new Uint8Array(0) : value, tx });
      else this.applyExtents(akey, iod, value, epoch, tx);
    });
  }

  private applyExtents(akey: ModelAkey, iod: Iod, value: Uint8Array, epoch: Epoch, tx: number): void {
    if (iod.size > 0 && iod.recxs.some(({ nr }) => nr > 0n)) akey.recordSize = iod.size;
    let at = 0;
    for (const { idx, nr } of iod.recxs) {
      if (nr === 0n) continue;
      const [lo, hi] = [Number(idx), Number(idx + nr) - 1];
      const bytes = Number(nr) * iod.size;
      akey.records = akey.records.filter((r) => r.epoch !== epoch || r.lo !== lo || r.hi !== hi);
      akey.records.push({ epoch, tx, lo, hi, data: iod.size > 0 ? value.subarray(at, at + bytes) : undefined, size: iod.size });
      at += bytes;
    }
  }

  /** Why the punch must be refused. */
  punch(id: number, request: VosPunch): Set<DerName> {
    const errors = new Set<DerName>();
    const { epoch, flags } = request;
    const object = this.objects.get(id);
    const atObject = this.see(object?.log, epoch, TOP);
    const dkey = request.dkey && object?.dkeys.get(hex(request.dkey));
    const atDkey = this.see(dkey?.log, epoch, atObject);
    const objectExists = existsForWriter(atObject);
    const dkeyExists = objectExists && existsForWriter(atDkey);
    const akeys = request.akeys?.map((key) => dkey?.akeys.get(hex(key)));
    const leaves: [Log | undefined, boolean][] = akeys
      ? akeys.map((akey) => [akey?.log, dkeyExists && existsForWriter(this.see(akey?.log, epoch, atDkey))])
      : [request.dkey ? [dkey?.log, dkeyExists] : [object?.log, objectExists]];
    for (const [log, exists] of leaves) {
      if (!exists && flags & Cond.PUNCH) errors.add('NONEXIST');
      if (log?.get(epoch)?.kind === 'U') errors.add('NO_PERM');
    }
    return errors;
  }

  /** Applies a punch that was not refused. */
  applyPunch(id: number, request: VosPunch, tx = 0): void {
    const { epoch } = request;
    const made = this.makeObject(id);
    if (epoch > made.maxWrite) made.maxWrite = epoch;
    const punched: Entry = { kind: 'P', tx };
    const set = (log: Log): void => {
      // one that is a punch already stays whose it is
      if (log.get(epoch)?.kind !== 'P') log.set(epoch, punched);
    };
    if (!request.dkey) return set(made.log);
    const atObject = this.see(made.log, epoch, TOP);
    const { dkey } = this.make(id, request.dkey);
    const atDkey = this.see(dkey.log, epoch, atObject);
    if (!request.akeys) return set(dkey.log);
    const named = new Set(request.akeys.map(hex));
    for (const key of request.akeys) set(this.makeAkey(dkey, key).log);
    const isEmpty = ![...dkey.akeys.values()].some((akey) => !named.has(hex(akey.key)) && this.see(akey.log, epoch, atDkey).create !== 0n);
    const dkeyExists = existsForWriter(atObject) && existsForWriter(atDkey);
    if (dkeyExists && isEmpty && dkey.log.get(epoch)?.kind !== 'U') set(dkey.log);
  }

  /** A transaction is committed, or leaves no trace. */
  decide(tx: number, isCommitted: boolean): void {
    if (isCommitted) this.transactions.set(tx, 'committed');
    else this.transactions.delete(tx);
    const settle = (entries: Map<Epoch, { tx: number }>): void => {
      for (const [epoch, entry] of entries) {
        if (entry.tx !== tx) continue;
        if (isCommitted) entry.tx = 0;
        else entries.delete(epoch);
      }
    };
    for (const object of this.objects.values()) {
      settle(object.log);
      for (const dkey of object.dkeys.values()) {
        settle(dkey.log);
        for (const akey of dkey.akeys.values()) {
          settle(akey.log);
          settle(akey.singles);
          if (!isCommitted) takeBack(akey, tx);
          for (const record of akey.records) if (record.tx === tx) record.tx = 0;
        }
      }
    }
  }

  /** Cuts an extent out of all versions of a range of epochs: older ones show again. */
  applyRemove(id: number, { dkey: dkeyBytes, akey: akeyBytes, recx, epr }: VosArrayRemove): void {
    const akey = this.objects.get(id)?.dkeys.get(hex(dkeyBytes))?.akeys.get(hex(akeyBytes));
    if (!akey) return;
    const [lo, hi] = [Number(recx.idx), Number(recx.idx + recx.nr) - 1];
    akey.records = akey.records.flatMap((record) => {
      if (record.epoch < epr.lo || record.epoch > epr.hi || record.lo > hi || record.hi < lo) return [record];
      akey.removedAt.add(record.epoch);
      return [cut(record, record.lo, lo - 1), cut(record, hi + 1, record.hi)].filter((part) => part.lo <= part.hi);
    });
  }

  /** True when something of this epoch was removed: nothing more may be written at it. */
  isRemovedAt(id: number, dkey: Uint8Array, akey: Uint8Array, epoch: Epoch): boolean {
    return this.objects.get(id)?.dkeys.get(hex(dkey))?.akeys.get(hex(akey))?.removedAt.has(epoch) ?? false;
  }

  /** Whether dkey and akey exist, and what the iod shows. */
  fetch(id: number, dkeyBytes: Uint8Array, iod: Iod, epoch: Epoch): { dkey: boolean; akey: boolean; pieces: ModelPiece[] } {
    const found = this.path(id, dkeyBytes, iod.akey, epoch);
    const { akey } = found;
    if (!found.akeyExists || !akey || akey.kind !== iod.type) {
      return { dkey: found.dkeyExists, akey: found.akeyExists, pieces: [] };
    }
    const pieces =
      akey.kind === IodType.SINGLE
        ? this.single(akey, epoch, found.punch)
        : iod.recxs.flatMap((recx) => this.extents(akey, recx, epoch, found.punch));
    return { dkey: true, akey: true, pieces };
  }

  listDkeys(id: number, epoch: Epoch): Uint8Array[] {
    const object = this.objects.get(id);
    const at = this.see(object?.log, epoch, TOP);
    if (!object || !at.exists) return [];
    return [...object.dkeys.values()].filter((d) => this.see(d.log, epoch, at).exists).map((d) => d.key);
  }

  listAkeys(id: number, dkeyBytes: Uint8Array, epoch: Epoch): Uint8Array[] {
    const { dkey, atDkey } = this.path(id, dkeyBytes, new Uint8Array(1), epoch);
    return [...(dkey?.akeys.values() ?? [])].filter((a) => this.see(a.log, epoch, atDkey).exists).map((a) => a.key);
  }

  listObjects(epoch: Epoch): number[] {
    return [...this.objects].filter(([, o]) => this.see(o.log, epoch, TOP).exists).map(([id]) => id);
  }

  maxWrite(id: number): Epoch {
    return this.objects.get(id)?.maxWrite ?? 0n;
  }

  /** The answer to a key query; undefined: nothing qualifies. */
  query(id: number, { flags, epoch, dkey, akey }: VosQuery): { dkey?: Uint8Array; akey?: Uint8Array; recx?: Recx } | undefined {
    const isMax = (flags & QueryFlag.MAX) !== 0;
    const ordered = (keys: Uint8Array[], flavour: KeyFlavour): Uint8Array[] =>
      keys.sort((a, b) => compareKeys(a, b, flavour) * (isMax ? -1 : 1));
    const dkeys = flags & QueryFlag.DKEY ? ordered(this.listDkeys(id, epoch), this.flavours.dkey) : [dkey as Uint8Array];
    for (const d of dkeys) {
      if (!this.path(id, d, d, epoch).dkeyExists) continue;
      const named = flags & QueryFlag.DKEY ? { dkey: d } : {};
      if (!(flags & (QueryFlag.AKEY | QueryFlag.RECX))) return named;
      const akeys = flags & QueryFlag.AKEY ? ordered(this.listAkeys(id, d, epoch), this.flavours.akey) : [akey as Uint8Array];
      for (const a of akeys) {
        const { akeyExists, akey: found, punch } = this.path(id, d, a, epoch);
        if (!akeyExists || !found) continue;
        const both = flags & QueryFlag.AKEY ? { ...named, akey: a } : named;
        if (!(flags & QueryFlag.RECX)) return both;
        if (found.kind !== IodType.ARRAY) continue;
        const pieces = this.extents(found, { idx: 0n, nr: BigInt(INDEX_LIMIT) }, epoch, punch);
        const piece = pieces.at(isMax ? -1 : 0);
        if (piece) return { ...both, recx: { idx: BigInt(piece.lo), nr: BigInt(piece.hi - piece.lo + 1) } };
      }
    }
    return undefined;
  }

  private single(akey: ModelAkey, epoch: Epoch, punch: Epoch): ModelPiece[] {
    const seen = [...akey.singles].filter(([e, { tx }]) => e <= epoch && e > punch && this.sees(tx));
    const [newest] = seen.sort((a, b) => (a[0] < b[0] ? 1 : -1));
    if (!newest || newest[1].data.length === 0) return [];
    return [{ lo: 0, hi: 0, epoch: newest[0], data: newest[1].data }];
  }

  private extents(akey: ModelAkey, { idx, nr }: Recx, epoch: Epoch, punch: Epoch): ModelPiece[] {
    const pieces: ModelPiece[] = [];
    let open: { record: ModelRecord; lo: number; hi: number } | undefined;
    const candidates = akey.records.filter((r) => r.epoch <= epoch && r.epoch > punch && this.sees(r.tx));
    const close = (): void => {
      if (open?.record.data) {
        const { record, lo, hi } = open;
        const data = open.record.data.subarray((lo - record.lo) * record.size, (hi + 1 - record.lo) * record.size);
        pieces.push({ lo, hi, epoch: record.epoch, data });
      }
      open = undefined;
    };
    const end = Math.min(Number(idx + nr), INDEX_LIMIT + 1);
    // what is on top changes only where records begin or end
    const edges = new Set([Number(idx), ...candidates.flatMap((r) => [r.lo, r.hi + 1])]);
    const starts = [...edges].filter((at) => at >= Number(idx) && at < end).sort((a, b) => a - b);
    starts.forEach((at, i) => {
      const hi = (starts[i + 1] ?? end) - 1;
      let top: ModelRecord | undefined;
      for (const r of candidates) if (r.lo <= at && r.hi >= at && (!top || r.epoch > top.epoch)) top = r;
      if (open && open.record === top) open.hi = hi;
      else {
        close();
        if (top) open = { record: top, lo: at, hi };
      }
    });
    close();
    return pieces;
  }

  private path(id: number, dkeyBytes: Uint8Array, akeyBytes: Uint8Array, epoch: Epoch) {
    const object = this.objects.get(id);
    const atObject = this.see(object?.log, epoch, TOP);
    const dkey = object?.dkeys.get(hex(dkeyBytes));
    const atDkey = this.see(dkey?.log, epoch, atObject);
    const akey = dkey?.akeys.get(hex(akeyBytes));
    const atAkey = this.see(akey?.log, epoch, atDkey);
    return { dkey, akey, atDkey, dkeyExists: atDkey.exists, akeyExists: atAkey.exists, punch: atAkey.punch };
  }

  private makeObject(id: number): ModelObject {
    let object = this.objects.get(id);
    if (!object) this.objects.set(id, (object = { log: new Map(), maxWrite: 0n, dkeys: new Map() }));
    return object;
  }

  private make(id: number, key: Uint8Array): { object: ModelObject; dkey: ModelDkey } {
    const object = this.makeObject(id);
    let dkey = object.dkeys.get(hex(key));
    if (!dkey) object.dkeys.set(hex(key), (dkey = { key, log: new Map(), akeys: new Map() }));
    return { object, dkey };
  }

  private makeAkey(dkey: ModelDkey, key: Uint8Array): ModelAkey {
    let akey = dkey.akeys.get(hex(key));
    if (!akey) {
      akey = { key, log: new Map(), kind: IodType.NONE, recordSize: 0, singles: new Map(), records: [], removedAt: new Set() };
      dkey.akeys.set(hex(key), akey);
    }
    return akey;
  }
}
