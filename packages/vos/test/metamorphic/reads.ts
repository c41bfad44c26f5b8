import { crc32 } from 'node:zlib';

import { Cond, IodType, QueryFlag, isDaosError, type Iod, type KeyFlavour } from '@daos/common';

import type { DtxHandle, VosFetchedIod, VosPage, VosQuery } from '../../src/index.js';
import { array, single, unitOid } from '../fixture.js';
import { EPOCH_NEWEST, OBJECTS, type Context } from './context.js';
import { Mismatch } from './history.js';
import { INDEX_LIMIT, compareKeys, type Model, type ModelPiece } from './model.js';
import { checkStored, pick, show, showIod } from './values.js';
import type { InTransaction } from './writes.js';

const ANCHOR_BYTES_MAX = 104;

/** Questions to VOS whose answers the model knows. */
export class Reads {
  constructor(private readonly context: Context) {}

  /** `within`: what a transaction under way sees, its own modifications among it. */
  async fetch(within?: InTransaction): Promise<void> {
    const { context } = this;
    const { random, flavours } = context;
    const id = random.below(OBJECTS);
    const epoch = within?.handle.epoch ?? context.readEpoch();
    const dkey = pick(random, context.dkeys);
    const akey = pick(random, context.akeys);
    const flags = pick(random, [0, 0, 0, Cond.DKEY_FETCH, Cond.AKEY_FETCH]);
    const lo = random.below(INDEX_LIMIT / 2);
    const iod = random.below(2) === 0 ? single(akey, 0) : array(akey, 0, [lo, 1 + random.below(INDEX_LIMIT / 2)]);
    const sizeOnly = random.below(8) === 0;
    context.note(`fetch o${id} @${epoch} flags ${flags} d=${show(dkey)} ${showIod(iod)}${within ? ` in transaction ${within.tx}` : ''}`);
    const handle = within?.handle ?? context.maybeReader(epoch);
    const request = { oid: unitOid(id), flavours, epoch, flags, dkey, iods: [iod], sizeOnly };
    await this.ask('fetch', handle, async () => {
      const [found] = await context.container.fetch(request, handle);
      return shownPieces(found, iod, sizeOnly);
    }, (model) => model.as(within?.tx ?? 0, () => {
      const { dkey: hasDkey, akey: hasAkey, pieces } = model.fetch(id, dkey, iod, epoch);
      if ((flags === Cond.DKEY_FETCH && !hasDkey) || (flags === Cond.AKEY_FETCH && !hasAkey)) return 'NONEXIST';
      return wantedPieces(pieces, iod, sizeOnly);
    }));
  }

  async list(): Promise<void> {
    const { context } = this;
    const { random, container, flavours } = context;
    const id = random.below(OBJECTS);
    const epoch = context.readEpoch();
    const epr = { lo: 0n, hi: epoch };
    const oid = unitOid(id);
    const limit = 1 + random.below(4);
    const common = { oid, flavours, epr, limit };
    const dkey = pick(random, context.dkeys);
    const akey = pick(random, context.akeys);
    const isFromKey = random.below(2) === 0;
    const kind = pick(random, ['dkeys', 'akeys', 'objects', 'recxs', 'recxs'] as const);
    const descending = random.below(2) === 0;
    context.note(`list ${kind} o${id} @${epoch} d=${show(dkey)} a=${show(akey)}${isFromKey ? ' from the key' : ''}${descending ? ' descending' : ''}`);
    const handle = context.maybeReader(epoch);
    switch (kind) {
      case 'dkeys': {
        const keys = (): Uint8Array[] => {
          const start = isFromKey ? container.keyToAnchor({ oid, flavours, dkey }) : undefined;
          return pages((anchor) => container.listDkeys(withAnchor(common, anchor), handle), start);
        };
        return this.askKeys(kind, handle, keys, (model) => model.listDkeys(id, epoch), flavours.dkey, isFromKey ? dkey : undefined);
      }
      case 'akeys': {
        const keys = (): Uint8Array[] => {
          const start = isFromKey ? container.keyToAnchor({ oid, flavours, dkey, akey }) : undefined;
          return pages((anchor) => container.listAkeys({ ...withAnchor(common, anchor), dkey }, handle), start);
        };
        return this.askKeys(kind, handle, keys, (model) => model.listAkeys(id, dkey, epoch), flavours.akey, isFromKey ? akey : undefined);
      }
      case 'objects':
        return this.ask(kind, handle, () => {
          const found = pages((anchor) => container.listObjects(epr, limit, anchor, handle));
          return found.map(({ oid: { lo } }) => Number(lo)).sort();
        }, (model) => model.listObjects(epoch).sort());
      case 'recxs':
        return this.ask(kind, handle, () => {
          const found = pages((anchor) => container.listRecxs({ ...withAnchor(common, anchor), dkey, akey, descending }, handle));
          return found.map(({ recx, epoch: e }) => `${recx.idx}+${recx.nr}@${e}`);
        }, (model) => {
          const pieces = [array(akey, 0, [0, INDEX_LIMIT]), single(akey, 0)].flatMap((iod) => model.fetch(id, dkey, iod, epoch).pieces);
          const want = pieces.map((p) => `${p.lo}+${p.hi - p.lo + 1}@${p.epoch}`);
          return descending ? want.reverse() : want;
        });
    }
  }

  async query(): Promise<void> {
    const { context } = this;
    const { random, flavours } = context;
    const id = random.below(OBJECTS);
    let flags: number = pick(random, [QueryFlag.MAX, QueryFlag.MIN]);
    if (flavours.dkey === 'uint64' && random.below(3) > 0) flags |= QueryFlag.DKEY;
    if (flavours.akey === 'uint64' && random.below(3) > 0) flags |= QueryFlag.AKEY;
    if (random.below(3) > 0 || !(flags & (QueryFlag.DKEY | QueryFlag.AKEY))) flags |= QueryFlag.RECX;
    const epoch = context.readEpoch();
    const request: VosQuery = { oid: unitOid(id), flavours, epoch, flags, dkey: pick(random, context.dkeys), akey: pick(random, context.akeys) };
    context.note(`query o${id} @${epoch} flags ${flags} d=${show(request.dkey)} a=${show(request.akey)}`);
    const handle = context.maybeReader(epoch);
    await this.ask('query', handle, () => {
      const { dkey, akey, recx, maxWrite } = context.container.queryKey(request, handle);
      return [show(dkey), show(akey), recx?.idx, recx?.nr, maxWrite];
    }, (model) => {
      const found = model.query(id, request);
      if (!found) return 'NONEXIST';
      return [show(found.dkey), show(found.akey), found.recx?.idx, found.recx?.nr, model.maxWrite(id)];
    });
  }

  private async ask(
    what: string,
    handle: DtxHandle | undefined,
    look: () => unknown,
    want: (model: Model) => unknown,
  ): Promise<void> {
    const { context } = this;
    let got: unknown;
    try {
      got = await look();
    } catch (error) {
      if (context.isFault(error)) return;
      if (handle && isDaosError(error, 'INPROGRESS', 'TX_RESTART') && (context.isHindered || context.world.isIndexDown)) return;
      if (!isDaosError(error, 'NONEXIST')) throw error;
      got = 'NONEXIST';
    }
    const { history, world } = context;
    if (world.isDataLost && history.unacknowledged.length > 0) return;
    if (!world.isIndexDown) history.answer(what, got, want);
    // a scan wants heads written back first, which such an index refuses
    else if (what === 'fetch') history.answerOfRuin(what, got, want);
  }

  private askKeys(
    what: string,
    handle: DtxHandle | undefined,
    look: () => Uint8Array[],
    want: (model: Model) => Uint8Array[],
    flavour: KeyFlavour,
    from: Uint8Array | undefined,
  ): Promise<void> {
    if (flavour !== 'hashed') {
      const behind = (keys: Uint8Array[]): Uint8Array[] => keys.filter((key) => !from || compareKeys(key, from, flavour) >= 0);
      return this.ask(what, handle, () => look().map(show), (model) => behind(want(model).sort((a, b) => compareKeys(a, b, flavour))).map(show));
    }
    if (from === undefined) return this.ask(what, handle, () => look().map(show).sort(), (model) => want(model).map(show).sort());
    // the order means nothing, so a start in the middle shows some of them
    let shown: string[] = [];
    return this.ask(what, handle, () => {
      shown = look().map(show);
      return [new Set(shown).size, 0, shown.includes(show(from)) ? shown[0] : ''];
    }, (model) => {
      const all = want(model).map(show);
      return [shown.length, shown.filter((key) => !all.includes(key)).length, all.includes(show(from)) ? show(from) : ''];
    });
  }
}

/**
 * All that can be seen at some epochs, and how far transactions are: what tells one state of a container from
 * another.
 */
export async function observe({ container, flavours, dkeys, akeys, transactions }: Context, epochs: readonly bigint[]): Promise<string[]> {
  while (!container.dtxReindexCommitted());
  const seen = transactions.map(({ tx, id }) => `${tx} ${stateOf(() => container.dtxCheck(id).state)}`);
  const iods = akeys.flatMap(iodsOf);
  for (let id = 0; id < OBJECTS; id++) {
    const oid = unitOid(id);
    seen.push(`o${id} ${container.queryKey({ oid, flavours, epoch: EPOCH_NEWEST, flags: 0 }).maxWrite}`);
    for (const epoch of epochs) {
      for (const dkey of dkeys) {
        const found = await container.fetch({ oid, flavours, epoch, flags: 0, dkey, iods });
        const at = `o${id} @${epoch} ${show(dkey)}`;
        seen.push(...found.map((each, i) => `${at} ${i >> 1} ${shownPieces(each, iods[i] as Iod, false).join()}`));
        const page = container.listAkeys({ oid, flavours, epr: { lo: 0n, hi: epoch }, limit: 100, dkey });
        seen.push(`${at} ${page.items.map(show).sort().join()}`);
      }
    }
  }
  return seen;
}

/** What `observe` should see. */
export function expected({ dkeys, akeys, transactions }: Context, epochs: readonly bigint[], model: Model): string[] {
  const seen = transactions.map(({ tx }) => `${tx} ${model.stateOf(tx)}`);
  const iods = akeys.flatMap(iodsOf);
  for (let id = 0; id < OBJECTS; id++) {
    seen.push(`o${id} ${model.maxWrite(id)}`);
    for (const epoch of epochs) {
      for (const dkey of dkeys) {
        const at = `o${id} @${epoch} ${show(dkey)}`;
        seen.push(...iods.map((iod, i) => `${at} ${i >> 1} ${wantedPieces(model.fetch(id, dkey, iod, epoch).pieces, iod, false).join()}`));
        seen.push(`${at} ${model.listAkeys(id, dkey, epoch).map(show).sort().join()}`);
      }
    }
  }
  return seen;
}

function stateOf(look: () => string): string {
  try {
    return look();
  } catch (error) {
    if (!isDaosError(error, 'NONEXIST')) throw error;
    return 'none';
  }
}

function iodsOf(akey: Uint8Array): Iod[] {
  return [single(akey, 0), array(akey, 0, [0, INDEX_LIMIT])];
}

function shownPieces(found: VosFetchedIod | undefined, iod: Iod, sizeOnly: boolean): unknown[] {
  const { pieces = [], size = 0 } = found ?? {};
  if (!sizeOnly) for (const piece of pieces) checkStored(piece, size, iod.type === IodType.SINGLE);
  return [size, ...pieces.map(({ recx, epoch, data }) => `${recx.idx}+${recx.nr}@${epoch}:${sizeOnly ? '' : crc32(data)}`)];
}

function wantedPieces(pieces: readonly ModelPiece[], iod: Iod, sizeOnly: boolean): unknown[] {
  const [first] = pieces;
  const size = first ? first.data.length / (iod.type === IodType.SINGLE ? 1 : first.hi - first.lo + 1) : 0;
  return [size, ...pieces.map(({ lo, hi, epoch, data }) => `${lo}+${hi - lo + 1}@${epoch}:${sizeOnly ? '' : crc32(data)}`)];
}

function pages<T>(next: (anchor: Uint8Array | undefined) => VosPage<T>, start?: Uint8Array): T[] {
  const all: T[] = [];
  let anchor = start;
  do {
    const page = next(anchor);
    all.push(...page.items);
    anchor = page.next;
    if (anchor && anchor.length > ANCHOR_BYTES_MAX) throw new Mismatch(`anchor: ${anchor.length} bytes`);
  } while (anchor);
  return all;
}

function withAnchor<T extends object>(params: T, anchor: Uint8Array | undefined): T & { anchor?: Uint8Array } {
  return anchor ? { ...params, anchor } : { ...params };
}
