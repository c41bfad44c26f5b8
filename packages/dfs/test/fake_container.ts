import type {
  ArrayObject,
  Container,
  ContainerInfo,
  DaosObject,
  FetchIod,
  FetchedValue,
  Key,
  ListOptions,
  ListPage,
  ObjectCreateOptions,
  PropValue,
  UpdateIod,
} from '@daos/client';
import {
  Cond,
  DaosError,
  Hlc,
  generateOid,
  objectClassByName,
  objectIdToString,
  uuidGenerate,
  type ObjectId,
  type Recx,
} from '@daos/common';

/** A value below an akey: arrays are short here, so their bytes stand in one buffer. */
type FakeValue = { readonly type: 'single'; readonly bytes: Buffer } | { readonly type: 'array'; readonly bytes: Buffer };

interface FakeData {
  readonly dkeys: Map<string, Map<string, FakeValue>>;
  /** Content of a byte array. */
  file: Buffer;
  maxEpoch: bigint;
}

function keyText(key: Key): string {
  return (typeof key === 'string' ? Buffer.from(key) : Buffer.from(key)).toString('latin1');
}

/**
 * A container in memory that counts every round trip and can stop, as a crashed process does, before any of them.
 * Only what DFS uses is there; the rest answers DER_NOSYS.
 */
export class FakeContainer implements Container {
  readonly uuid = uuidGenerate();
  readonly label = 'fake';
  readonly writable = true;
  /** Name of each round trip, in order. */
  calls: string[] = [];
  /** Round trips that still succeed; then all fail. */
  callsLeft = Infinity;
  private readonly hlc = new Hlc();
  private readonly store = new Map<string, FakeData>();
  private readonly props = new Map<string, string>([['layout_type', 'POSIX']]);
  private nextOid = 1n;

  /** One round trip. Asynchronous, so that concurrent callers interleave as they do over a network. */
  async call(name: string): Promise<void> {
    this.calls.push(name);
    if (this.callsLeft <= 0) throw new DaosError('UNREACH', 'the process has crashed');
    this.callsLeft--;
    await Promise.resolve();
  }

  data(oid: ObjectId): FakeData {
    const key = objectIdToString(oid);
    let found = this.store.get(key);
    if (!found) {
      found = { dkeys: new Map(), file: Buffer.alloc(0), maxEpoch: 0n };
      this.store.set(key, found);
    }
    return found;
  }

  /** Objects that hold anything. */
  liveObjects(): number {
    return [...this.store.values()].filter((data) => data.dkeys.size > 0 || data.file.length > 0).length;
  }

  changed(data: FakeData): void {
    data.maxEpoch = this.hlc.get();
  }

  async allocOids(count: number): Promise<bigint> {
    await this.call('allocOids');
    const first = this.nextOid;
    this.nextOid += BigInt(count);
    return first;
  }

  generateOid(user: ObjectId, type: number, create: ObjectCreateOptions = {}): ObjectId {
    const classId = create.class === undefined ? 0 : (objectClassByName(create.class)?.id ?? -1);
    return generateOid({ user, type, classId, hints: create.hints ?? 0, domainCount: 1, targetCount: 2, redundancyFactor: 0 });
  }

  objOpen(oid: ObjectId): DaosObject {
    return new FakeObject(this, oid);
  }
  arrayOpenWithAttr(oid: ObjectId, attr: { cellSize: number; chunkSize: number }): ArrayObject {
    return new FakeArray(this, oid, attr.cellSize, attr.chunkSize);
  }
  getProps(names: readonly string[] = []): Promise<PropValue[]> {
    return Promise.resolve(names.map((name) => ({ name, value: this.props.get(name) ?? '' })));
  }
  setProps(props: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(props)) this.props.set(name, value);
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  kvCreate = refuse;
  kvOpen = refuse;
  arrayCreate = refuse;
  arrayOpen = refuse;
  query: () => Promise<ContainerInfo> = refuse;
  setAttrs = refuse;
  getAttrs = refuse;
  listAttrs = refuse;
  delAttrs = refuse;
  txOpen = refuse;
  objects = refuse;
}

function refuse(): never {
  throw new DaosError('NOSYS', 'not in the fake container');
}

class FakeObject implements DaosObject {
  private closed = false;

  constructor(
    private readonly container: FakeContainer,
    readonly oid: ObjectId,
  ) {}

  private async enter(name: string): Promise<FakeData> {
    if (this.closed) throw new DaosError('NO_HDL', 'the object is closed');
    await this.container.call(name);
    return this.container.data(this.oid);
  }

  async update(_tx: undefined, dkey: Key, iods: readonly UpdateIod[], options: { flags?: number } = {}): Promise<void> {
    const data = await this.enter('update');
    const flags = options.flags ?? 0;
    const akeys = data.dkeys.get(keyText(dkey));
    if (flags & Cond.DKEY_INSERT && akeys) throw new DaosError('EXIST');
    if (flags & Cond.DKEY_UPDATE && !akeys) throw new DaosError('NONEXIST');
    for (const { akey } of iods) {
      if (flags & Cond.AKEY_INSERT && akeys?.has(keyText(akey))) throw new DaosError('EXIST');
      if (flags & Cond.AKEY_UPDATE && !akeys?.has(keyText(akey))) throw new DaosError('NONEXIST');
    }
    const target = akeys ?? new Map<string, FakeValue>();
    data.dkeys.set(keyText(dkey), target);
    for (const iod of iods) target.set(keyText(iod.akey), updated(target.get(keyText(iod.akey)), iod));
    this.container.changed(data);
  }

  async fetch(_tx: undefined, dkey: Key, iods: readonly FetchIod[], options: { flags?: number } = {}): Promise<FetchedValue[]> {
    const data = await this.enter('fetch');
    const akeys = data.dkeys.get(keyText(dkey));
    return iods.map((iod) => {
      const value = akeys?.get(keyText(iod.akey));
      if (!value && (options.flags ?? 0) & Cond.AKEY_FETCH) throw new DaosError('NONEXIST');
      return fetched(value, iod);
    });
  }

  async punch(): Promise<void> {
    const data = await this.enter('punch');
    data.dkeys.clear();
    data.file = Buffer.alloc(0);
    this.container.changed(data);
  }

  async punchDkey(_tx: undefined, dkey: Key, options: { flags?: number } = {}): Promise<void> {
    const data = await this.enter('punchDkey');
    if (!data.dkeys.delete(keyText(dkey)) && (options.flags ?? 0) & Cond.PUNCH) throw new DaosError('NONEXIST');
    this.container.changed(data);
  }

  async punchAkeys(_tx: undefined, dkey: Key, akeys: readonly Key[], options: { flags?: number } = {}): Promise<void> {
    const data = await this.enter('punchAkeys');
    const found = data.dkeys.get(keyText(dkey));
    if ((options.flags ?? 0) & Cond.PUNCH && akeys.some((akey) => !found?.has(keyText(akey)))) throw new DaosError('NONEXIST');
    for (const akey of akeys) found?.delete(keyText(akey));
    this.container.changed(data);
  }

  async listDkeys(_tx: undefined, options: ListOptions = {}): Promise<ListPage<Uint8Array>> {
    const data = await this.enter('listDkeys');
    // Resumes behind the anchor's key, so that removals between pages skip nothing.
    const after = options.anchor ? Buffer.from(options.anchor).toString('latin1') : undefined;
    const keys = [...data.dkeys.keys()].sort().filter((key) => after === undefined || key > after);
    const page = keys.slice(0, options.limit ?? 100);
    const last = page.at(-1);
    const more = last !== undefined && keys.length > page.length;
    return { items: page.map((key) => Buffer.from(key, 'latin1')), next: more ? Buffer.from(last, 'latin1') : undefined };
  }

  async *akeys(dkey: Key): AsyncGenerator<Uint8Array> {
    const data = await this.enter('listAkeys');
    for (const akey of [...(data.dkeys.get(keyText(dkey))?.keys() ?? [])]) yield Buffer.from(akey, 'latin1');
  }

  keyToAnchor(): Promise<Uint8Array> {
    return Promise.reject(new DaosError('NOSYS', 'not part of the fake'));
  }

  async queryMaxEpoch(): Promise<bigint> {
    return (await this.enter('queryMaxEpoch')).maxEpoch;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  listAkeys = refuse;
  listRecxs = refuse;
  dkeys = refuse;
  queryKey = refuse;
  layout = refuse;
}

function updated(before: FakeValue | undefined, iod: UpdateIod): FakeValue {
  if (iod.type === 'single') return { type: 'single', bytes: Buffer.from(iod.value ?? []) };
  let bytes = before?.type === 'array' ? before.bytes : Buffer.alloc(0);
  let from = 0;
  for (const { idx, nr } of iod.recxs) {
    const end = Number(idx + nr);
    if (end > bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]);
    bytes.set(iod.value?.subarray(from, from + Number(nr)) ?? [], Number(idx));
    from += Number(nr);
  }
  return { type: 'array', bytes };
}

function fetched(value: FakeValue | undefined, iod: FetchIod): FetchedValue {
  if (!value || value.type !== iod.type) return { size: 0, data: Buffer.alloc(0), present: [] };
  if (iod.type === 'single') return { size: value.bytes.length, data: value.bytes, present: [] };
  const parts = iod.recxs.map(({ idx, nr }) => value.bytes.subarray(Number(idx), Number(idx + nr)));
  return { size: 1, data: Buffer.concat(parts), present: iod.recxs };
}

class FakeArray implements ArrayObject {
  constructor(
    private readonly container: FakeContainer,
    readonly oid: ObjectId,
    readonly cellSize: number,
    readonly chunkSize: number,
  ) {}

  async read(range: readonly Recx[] | Recx, into: Uint8Array): Promise<{ bytesRead: number }> {
    await this.container.call('arrayRead');
    const { idx } = only(range);
    const part = this.container.data(this.oid).file.subarray(Number(idx), Number(idx) + into.length);
    into.set(part);
    return { bytesRead: part.length };
  }

  async write(range: readonly Recx[] | Recx, bytes: Uint8Array): Promise<void> {
    await this.container.call('arrayWrite');
    const data = this.container.data(this.oid);
    const start = Number(only(range).idx);
    if (start + bytes.length > data.file.length) this.resize(data, start + bytes.length);
    data.file.set(bytes, start);
    this.container.changed(data);
  }

  async punch(range: readonly Recx[] | Recx): Promise<void> {
    await this.container.call('arrayPunch');
    const { idx, nr } = only(range);
    const data = this.container.data(this.oid);
    data.file.fill(0, Number(idx), Number(idx + nr));
    this.container.changed(data);
  }

  async getSize(): Promise<bigint> {
    await this.container.call('arraySize');
    return BigInt(this.container.data(this.oid).file.length);
  }

  async stat(): Promise<{ size: bigint; maxEpoch: bigint }> {
    await this.container.call('arrayStat');
    const data = this.container.data(this.oid);
    return { size: BigInt(data.file.length), maxEpoch: data.maxEpoch };
  }

  async setSize(size: bigint): Promise<void> {
    await this.container.call('arraySetSize');
    const data = this.container.data(this.oid);
    this.resize(data, Number(size));
    this.container.changed(data);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
  destroy = refuse;

  private resize(data: FakeData, size: number): void {
    const file = Buffer.alloc(size);
    data.file.copy(file, 0, 0, size);
    data.file = file;
  }
}

function only(range: readonly Recx[] | Recx): Recx {
  const [first] = [range].flat();
  if (!first) throw new DaosError('INVAL', 'no range');
  return first;
}
