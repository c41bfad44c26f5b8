import {
  ContProp,
  DaosError,
  ObjectType,
  containerLayoutName,
  generateOid,
  objectClassByName,
  objectClassList,
  type ObjectId,
  type Uuid,
} from '@daos/common';
import {
  dcContAllocOids,
  dcContClose,
  dcContDelAttrs,
  dcContGetAttrs,
  dcContGetProps,
  dcContListAttrs,
  dcContQuery,
  dcContSetAttrs,
  dcContSetProps,
  type DcCont,
} from '@daos/container/dc';
import { dcObjListAll } from '@daos/object/dc';

import { ClientArray } from './array.js';
import { ClientKv } from './kv.js';
import { ClientObject } from './object.js';
import { containerProperty, propEntries, propValues } from './properties.js';
import type {
  ArrayObject,
  Container,
  ContainerInfo,
  DaosObject,
  KvObject,
  ObjectCreateOptions,
  OpOptions,
  PropValue,
  Tx,
} from './types.js';

/** Object ids are asked for in ranges of so many. */
const OID_RANGE = 64;

/** An open container. */
export class ClientContainer implements Container {
  private closed = false;
  private nextOid = 0n;
  private oidsLeft = 0;
  private allocating: Promise<void> | undefined;

  constructor(
    readonly dc: DcCont,
    private readonly onClose: (container: ClientContainer) => void,
  ) {}

  get uuid(): Uuid {
    return this.dc.uuid;
  }

  get label(): string | undefined {
    return this.dc.label;
  }

  get writable(): boolean {
    return this.dc.writable;
  }

  async allocOids(count: number, options?: OpOptions): Promise<bigint> {
    this.check();
    return dcContAllocOids(this.dc, count, options);
  }

  generateOid(user: ObjectId, type: number, create: ObjectCreateOptions = {}): ObjectId {
    this.check();
    const { map } = this.dc.pool;
    return generateOid({
      user,
      type,
      classId: create.class === undefined ? 0 : classIdOf(create.class),
      hints: create.hints ?? 0,
      redundancyFactor: this.dc.redundancyFactor,
      ...map.space(this.dc.redundancyLevel),
    });
  }

  objOpen(oid: ObjectId, options: { mode?: 'ro' | 'rw' } = {}): DaosObject {
    this.check();
    return new ClientObject(this.dc, oid, options.mode ?? this.defaultMode());
  }

  async kvCreate(options: ObjectCreateOptions & { oid?: ObjectId } = {}): Promise<KvObject> {
    const oid = options.oid ?? this.generateOid(await this.newUserOid(), ObjectType.KV_HASHED, options);
    return new ClientKv(this.dc, oid, 'rw');
  }

  kvOpen(oid: ObjectId, options: { mode?: 'ro' | 'rw' } = {}): KvObject {
    this.check();
    return new ClientKv(this.dc, oid, options.mode ?? this.defaultMode());
  }

  async arrayCreate(
    options: ObjectCreateOptions & { oid?: ObjectId; cellSize: number; chunkSize: number },
  ): Promise<ArrayObject> {
    const oid = options.oid ?? this.generateOid(await this.newUserOid(), ObjectType.ARRAY, options);
    return ClientArray.create(this.dc, oid, options);
  }

  async arrayOpen(oid: ObjectId, options: { mode?: 'ro' | 'rw' } = {}): Promise<ArrayObject> {
    this.check();
    return ClientArray.open(this.dc, oid, options.mode ?? this.defaultMode());
  }

  arrayOpenWithAttr(oid: ObjectId, attr: { cellSize: number; chunkSize: number; mode?: 'ro' | 'rw' }): ArrayObject {
    this.check();
    return ClientArray.openWithAttr(this.dc, oid, attr, attr.mode ?? this.defaultMode());
  }

  async query(options?: OpOptions): Promise<ContainerInfo> {
    this.check();
    const [info, props] = await Promise.all([
      dcContQuery(this.dc, options), dcContGetProps(this.dc, [ContProp.LAYOUT_TYPE], options),
    ]);
    const layout = props.find(({ number }) => number === ContProp.LAYOUT_TYPE)?.value;
    return {
      uuid: info.uuid,
      label: info.label,
      layoutType: containerLayoutName(typeof layout === 'bigint' ? layout : 0n),
      latestSnapshot: info.latestSnapshot,
      snapshotCount: info.snapshotCount,
      redundancyFactor: this.dc.redundancyFactor,
      handleCount: info.handleCount,
      openTime: info.openTime,
      closeModifyTime: info.modifyTime,
    };
  }

  async getProps(names?: readonly string[], options?: OpOptions): Promise<PropValue[]> {
    this.check();
    const numbers = names?.map((name) => containerProperty(name).number);
    return propValues(await dcContGetProps(this.dc, numbers, options), names);
  }

  async setProps(props: Readonly<Record<string, string>>, options?: OpOptions): Promise<void> {
    this.check();
    await dcContSetProps(this.dc, propEntries(props), options);
  }

  async setAttrs(attrs: Readonly<Record<string, Uint8Array>>, options?: OpOptions): Promise<void> {
    this.check();
    await dcContSetAttrs(this.dc, attrs, options);
  }

  async getAttrs(names: readonly string[], options?: OpOptions): Promise<Uint8Array[]> {
    this.check();
    return allFound(names, await dcContGetAttrs(this.dc, names, options), `container ${this.label ?? this.uuid}`);
  }

  async listAttrs(options?: OpOptions): Promise<string[]> {
    this.check();
    return dcContListAttrs(this.dc, options);
  }

  async delAttrs(names: readonly string[], options?: OpOptions): Promise<void> {
    this.check();
    await dcContDelAttrs(this.dc, names, options);
  }

   
  async txOpen(): Promise<Tx> {
    throw new DaosError('NOSYS', 'transactions are not available yet');
  }

  objects(options?: OpOptions): AsyncIterable<ObjectId> {
    this.check();
    return dcObjListAll(this.dc, options);
  }

  async close(): Promise<void> {
    this.check();
    this.closed = true;
    this.onClose(this);
    await dcContClose(this.dc);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.closed) await this.close();
  }

  private check(): void {
    if (this.closed) throw new DaosError('NO_HDL', `container ${this.label ?? this.uuid} was closed`);
  }

  private defaultMode(): 'ro' | 'rw' {
    return this.writable ? 'rw' : 'ro';
  }

  /** An id that no other object of the container has. */
  private async newUserOid(): Promise<ObjectId> {
    this.check();
    while (this.oidsLeft === 0) {
      this.allocating ??= this.allocOids(OID_RANGE).then((first) => {
        this.nextOid = first;
        this.oidsLeft = OID_RANGE;
      }).finally(() => {
        this.allocating = undefined;
      });
      await this.allocating;
    }
    this.oidsLeft--;
    return { hi: 0n, lo: this.nextOid++ };
  }
}

function classIdOf(name: string): number {
  const found = objectClassByName(name);
  if (found) return found.id;
  const examples = objectClassList().slice(0, 8).map((known) => known.name).join(', ');
  throw new DaosError('INVAL', `unknown object class "${name}"; known are for example ${examples}`);
}

/** DER_NONEXIST names the first attribute that is missing. */
export function allFound(names: readonly string[], values: readonly (Uint8Array | undefined)[], of: string): Uint8Array[] {
  return names.map((name, i) => {
    const value = values[i];
    if (!value) throw new DaosError('NONEXIST', `${of} has no attribute "${name}"`);
    return value;
  });
}

