import { Cond, DaosError, IodType, QueryFlag, type Epoch, type Iod, type Recx, type UnitOid } from '@daos/common';
import type {
  IodChecksums, VosObjects, VosFetch, VosFetchedIod, VosListParams, VosPage, VosPiece, VosPunch, VosQuery, VosQueryResult,
  VosRecxEntry, VosUpdate,
} from '@daos/vos';
import { checksumChunkCount, checksumChunkRecords } from '@daos/common';

interface Extent { recx: Recx; size: number; data: Uint8Array; checksums: IodChecksums | undefined; epoch: Epoch }
interface Value { type: number; single?: Extent; extents: Extent[] }
type Dkey = Map<string, Value>;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string) => Buffer.from(text, 'hex');

/** A container that keeps only the newest state, in memory: enough to see what the object service does with VOS. */
export class MemoryContainer implements VosObjects {
  readonly uuid: string;
  readonly shards = new Map<string, { unit: UnitOid; dkeys: Map<string, Dkey>; maxWrite: Epoch }>();
  /** Awaited before a modification is acknowledged. */
  durable: () => Promise<void> = () => Promise.resolve();
  updates = 0;

  constructor(uuid: string) {
    this.uuid = uuid;
  }

  private shard(unit: UnitOid) {
    const key = `${unit.oid.hi}.${unit.oid.lo}.${unit.shard}`;
    let shard = this.shards.get(key);
    if (!shard) this.shards.set(key, (shard = { unit, dkeys: new Map(), maxWrite: 0n }));
    return shard;
  }

  async update(request: VosUpdate): Promise<void> {
    this.updates++;
    const shard = this.shard(request.oid);
    const dkeyHex = hex(request.dkey);
    const dkey = shard.dkeys.get(dkeyHex);
    if (request.flags & Cond.DKEY_INSERT && dkey) throw new DaosError('EXIST', 'dkey exists');
    if (request.flags & Cond.DKEY_UPDATE && !dkey) throw new DaosError('NONEXIST', 'no dkey');
    for (const iod of request.iods) {
      const flags = request.flags & Cond.PER_AKEY ? (iod.flags ?? 0) : request.flags;
      const akey = dkey?.get(hex(iod.akey));
      if (flags & Cond.AKEY_INSERT && akey) throw new DaosError('EXIST', 'akey exists');
      if (flags & Cond.AKEY_UPDATE && !akey) throw new DaosError('NONEXIST', 'no akey');
      if (akey && akey.type !== iod.type) throw new DaosError('NO_PERM', 'other value type');
    }
    const target = dkey ?? new Map<string, Value>();
    shard.dkeys.set(dkeyHex, target);
    request.iods.forEach((iod, i) => store(target, iod, Buffer.from(request.values[i] ?? []), request.checksums?.[i], request.epoch));
    shard.maxWrite = request.epoch;
    await this.durable();
  }

  fetch(request: VosFetch): VosFetchedIod[] {
    const dkey = this.shard(request.oid).dkeys.get(hex(request.dkey));
    if (request.flags & Cond.DKEY_FETCH && !dkey) throw new DaosError('NONEXIST', 'no dkey');
    return request.iods.map((iod) => {
      const flags = request.flags & Cond.PER_AKEY ? (iod.flags ?? 0) : request.flags;
      const value = dkey?.get(hex(iod.akey));
      if (flags & Cond.AKEY_FETCH && !value) throw new DaosError('NONEXIST', 'no akey');
      if (value?.type !== iod.type) return { type: iod.type, size: 0, pieces: [] };
      const pieces = value.single ? [wholePiece(value.single)] : iod.recxs.flatMap((recx) => piecesOf(value, recx));
      const size = value.single?.size ?? value.extents[0]?.size ?? 0;
      return { type: iod.type, size, pieces: request.sizeOnly ? pieces.map((p) => ({ recx: p.recx, epoch: p.epoch, data: new Uint8Array(0) })) : pieces };
    });
  }

  async punch(request: VosPunch): Promise<void> {
    const shard = this.shard(request.oid);
    shard.maxWrite = request.epoch;
    if (!request.dkey) {
      shard.dkeys.clear();
    } else {
      const key = hex(request.dkey);
      const dkey = shard.dkeys.get(key);
      if (request.flags & Cond.PUNCH && !dkey) throw new DaosError('NONEXIST', 'no dkey');
      if (!request.akeys) shard.dkeys.delete(key);
      for (const akey of request.akeys ?? []) {
        if (request.flags & Cond.PUNCH && !dkey?.has(hex(akey))) throw new DaosError('NONEXIST', 'no akey');
        dkey?.delete(hex(akey));
      }
      if (dkey?.size === 0) shard.dkeys.delete(key);
    }
    await this.durable();
  }

  listObjects(): VosPage<UnitOid> {
    return { items: [...this.shards.values()].filter((s) => s.dkeys.size > 0).map((s) => s.unit), next: undefined };
  }

  listDkeys(params: VosListParams): VosPage<Uint8Array> {
    return page([...this.shard(params.oid).dkeys.keys()].sort(), params);
  }

  listAkeys(params: VosListParams & { readonly dkey: Uint8Array }): VosPage<Uint8Array> {
    return page([...(this.shard(params.oid).dkeys.get(hex(params.dkey))?.keys() ?? [])].sort(), params);
  }

  listRecxs(params: VosListParams & { dkey: Uint8Array; akey: Uint8Array; descending?: boolean }): VosPage<VosRecxEntry> {
    const value = this.shard(params.oid).dkeys.get(hex(params.dkey))?.get(hex(params.akey));
    const items = (value?.extents ?? []).map(({ recx, epoch, size }) => ({ recx, epoch, recordSize: size }));
    items.sort((a, b) => Number(a.recx.idx - b.recx.idx));
    if (params.descending) items.reverse();
    const start = params.anchor ? Number(Buffer.from(params.anchor).toString()) : 0;
    const end = start + params.limit;
    return { items: items.slice(start, end), next: end < items.length ? Buffer.from(String(end)) : undefined };
  }

  markCorruption(): Promise<void> {
    return Promise.reject(new DaosError('NOSYS', 'nothing here is marked as corrupt'));
  }

  keyToAnchor(params: { dkey: Uint8Array; akey?: Uint8Array }): Uint8Array {
    return params.akey ?? params.dkey;
  }

  queryKey(request: VosQuery): VosQueryResult {
    const shard = this.shard(request.oid);
    if (request.flags === 0) return { maxWrite: shard.maxWrite };
    const keys = [...shard.dkeys.keys()].map((key) => bytesOf(key).readBigUInt64LE()).sort((a, b) => (a < b ? -1 : 1));
    const found = request.flags & QueryFlag.MAX ? keys.at(-1) : keys[0];
    if (found === undefined) throw new DaosError('NONEXIST', 'no dkey');
    const dkey = Buffer.alloc(8);
    dkey.writeBigUInt64LE(found);
    return { dkey, recx: { idx: 1n, nr: 2n }, maxWrite: shard.maxWrite };
  }

  close(): void {}
}

function page(keys: string[], params: VosListParams): VosPage<Uint8Array> {
  const from = params.anchor ? hex(params.anchor) : '';
  const rest = keys.filter((key) => key >= from);
  const next = rest[params.limit];
  return { items: rest.slice(0, params.limit).map(bytesOf), next: next === undefined ? undefined : bytesOf(next) };
}

function store(dkey: Dkey, iod: Iod, data: Uint8Array, checksums: IodChecksums | undefined, epoch: Epoch): void {
  const key = hex(iod.akey);
  let value = dkey.get(key);
  if (!value) dkey.set(key, (value = { type: iod.type, extents: [] }));
  const kept = checksums && { ...checksums, bytes: Buffer.from(checksums.bytes) };
  if (iod.type === IodType.SINGLE) {
    value.single = { recx: { idx: 0n, nr: 1n }, size: iod.size, data, checksums: kept, epoch };
    return;
  }
  let at = 0;
  let chunk = 0;
  for (const recx of iod.recxs) {
    const bytes = Number(recx.nr) * iod.size;
    const count = kept && iod.size > 0 ? checksumChunkCount(recx, checksumChunkRecords(kept.chunkBytes, iod.size)) : 0;
    const own = kept && { ...kept, bytes: kept.bytes.subarray(chunk * kept.length, (chunk + count) * kept.length) };
    value.extents.push({ recx, size: iod.size, data: data.subarray(at, at + bytes), checksums: own, epoch });
    at += bytes;
    chunk += count;
  }
}

function wholePiece(extent: Extent): VosPiece {
  return { recx: extent.recx, epoch: extent.epoch, data: extent.data, ...stored(extent, extent.recx) };
}

function stored(extent: Extent, recx: Recx) {
  if (!extent.checksums || extent.size === 0) return {};
  const records = BigInt(checksumChunkRecords(extent.checksums.chunkBytes, extent.size));
  const from = max(extent.recx.idx, (recx.idx / records) * records);
  const to = min(extent.recx.idx + extent.recx.nr, ((recx.idx + recx.nr - 1n) / records + 1n) * records);
  const first = Number(from / records - extent.recx.idx / records);
  const count = Number((to - 1n) / records - from / records) + 1;
  const at = Number(from - extent.recx.idx) * extent.size;
  const { length } = extent.checksums;
  return {
    stored: {
      recx: { idx: from, nr: to - from },
      data: extent.data.subarray(at, at + Number(to - from) * extent.size),
      checksums: { ...extent.checksums, bytes: extent.checksums.bytes.subarray(first * length, (first + count) * length) },
    },
  };
}

const min = (a: bigint, b: bigint) => (a < b ? a : b);
const max = (a: bigint, b: bigint) => (a > b ? a : b);

function piecesOf(value: Value, recx: Recx): VosPiece[] {
  const pieces: VosPiece[] = [];
  let run: { extent: Extent; from: bigint } | undefined;
  const flush = (to: bigint) => {
    if (!run || run.extent.size === 0) return;
    const at = Number(run.from - run.extent.recx.idx) * run.extent.size;
    const piece = { idx: run.from, nr: to - run.from };
    const data = run.extent.data.subarray(at, at + Number(piece.nr) * run.extent.size);
    pieces.push({ recx: piece, epoch: run.extent.epoch, data, ...stored(run.extent, piece) });
  };
  for (let i = recx.idx; i < recx.idx + recx.nr; i++) {
    const top = value.extents.findLast((e) => i >= e.recx.idx && i < e.recx.idx + e.recx.nr);
    if (top === run?.extent) continue;
    flush(i);
    run = top && { extent: top, from: i };
  }
  flush(recx.idx + recx.nr);
  return pieces;
}
