import { ChecksumType, DaosError, recxChecksums, uuidGenerate, type Recx, type UnitOid, type Uuid } from '@daos/common';
import type { Clock } from '@daos/gurt';

import { ScrubMode, type ScrubContainer, type ScrubSettings, type ScrubSource, type ScrubValue } from '../../src/scrub/index.js';
import type { IodChecksums } from '../../src/types.js';

const CHUNK_BYTES = 16;

/** Time that passes only when somebody sleeps; `during` sees each sleep before it ends. */
export class FakeTime implements Clock {
  nowMs = 0;
  readonly naps: number[] = [];
  during: (ms: number) => void | Promise<void> = () => {};

  wallMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  setTimer(): never {
    throw new Error('the scrubber sets no timers');
  }

  readonly sleep = async (ms: number): Promise<void> => {
    this.naps.push(ms);
    this.nowMs += ms;
    if (this.naps.length > 100_000) throw new Error('the scrubber never ends');
    await this.during(ms);
  };
}

/** A stored value; `akey` and `epoch` identify it. */
export class FakeValue implements ScrubValue {
  isCorrupted = false;
  readonly media = 'scm';
  isThere = true;
  reads = 0;
  readError: DaosError | undefined;
  markError: DaosError | undefined;
  readonly where: ScrubValue['where'];

  constructor(
    akey: string, epoch: number, oid: UnitOid, readonly recx: Recx | undefined, readonly size: number, readonly data: Buffer,
    public checksums: IodChecksums | undefined,
  ) {
    this.where = { oid, dkey: Buffer.from('dkey'), akey: Buffer.from(akey), epoch: BigInt(epoch) };
  }

  /** Flips a bit of a byte, counted from the end when negative. */
  damage(at = 0): this {
    const index = at < 0 ? this.data.length + at : at;
    this.data[index] = (this.data[index] as number) ^ 4;
    return this;
  }

  async read(from: number, length: number): Promise<Uint8Array> {
    this.reads++;
    await Promise.resolve();
    if (this.readError) throw this.readError;
    return this.data.subarray(from, from + length);
  }

  stillThere(): boolean {
    return this.isThere;
  }

  async markCorrupted(): Promise<void> {
    await Promise.resolve();
    if (this.markError) throw this.markError;
    this.isCorrupted = true;
  }
}

export class FakeContainer {
  readonly uuid = uuidGenerate();
  readonly objects = new Map<bigint, FakeValue[]>();
  /** Objects whose listing fails. */
  readonly failing = new Map<bigint, DaosError>();
  references = 0;
  isStopping = false;
  type: number = ChecksumType.CRC16;

  single(akey: string, epoch: number, value = `value of ${akey} at ${epoch}`, object = 1n): FakeValue {
    return this.add(akey, epoch, undefined, Buffer.byteLength(value), Buffer.from(value), object);
  }

  array(akey: string, epoch: number, idx: number | bigint, nr: number, recordSize = 1, object = 1n): FakeValue {
    const data = Buffer.from(Array.from({ length: nr * recordSize }, (_, i) => (i * 31 + epoch * 7 + Number(BigInt(idx) % 256n)) & 0xff));
    return this.add(akey, epoch, { idx: BigInt(idx), nr: BigInt(nr) }, recordSize, data, object);
  }

  private add(akey: string, epoch: number, recx: Recx | undefined, size: number, data: Buffer, object: bigint): FakeValue {
    const unit = { oid: { hi: 0n, lo: object }, shard: 0, layoutVersion: 1 };
    const whole = recx ?? { idx: 0n, nr: 1n };
    const checksums = recxChecksums(this.type, recx ? CHUNK_BYTES : 1, recx ? size : data.length, whole, data);
    const value = new FakeValue(akey, epoch, unit, recx, size, data, checksums);
    this.objects.set(object, [...(this.objects.get(object) ?? []), value]);
    return value;
  }

  /** What a fetch of the newest version at an epoch answers. */
  fetch(akey: string, epoch: number): string {
    const versions = [...this.objects.values()].flat().filter(({ where, isThere }) =>
      isThere && Buffer.from(where.akey).toString() === akey && where.epoch <= BigInt(epoch));
    const newest = versions.reduce((max, { where }) => (where.epoch > max ? where.epoch : max), 0n);
    const seen = versions.filter(({ where, recx }) => recx !== undefined || where.epoch === newest);
    if (seen.some(({ isCorrupted }) => isCorrupted)) throw new DaosError('CSUM', `${akey} is corrupted`);
    return Buffer.concat(seen.map(({ data }) => data)).toString('latin1');
  }

  destroy(): void {
    if (this.references > 0) throw new DaosError('BUSY', 'the container is in use');
    this.objects.clear();
  }
}

/** A target in memory. */
export class FakeSource implements ScrubSource {
  mode: number = ScrubMode.TIMED;
  freqSeconds = 100;
  threshold = 0;
  idle = true;
  stopping = false;
  loaded = true;
  drains = 0;
  drainError: DaosError | undefined;
  readonly events: { container: Uuid; value: ScrubValue }[] = [];
  readonly all = [new FakeContainer()];
  containersError: DaosError | undefined;

  get first(): FakeContainer {
    return this.all[0] as FakeContainer;
  }

  settings(): ScrubSettings {
    return { mode: this.mode, freqSeconds: this.freqSeconds, threshold: this.threshold };
  }

  isStopping(): boolean {
    return this.stopping;
  }

  isIdle(): boolean {
    return this.idle;
  }

  isLoaded(): boolean {
    return this.loaded;
  }

  containers(): Uuid[] {
    if (this.containersError) throw this.containersError;
    return [...this.all.map(({ uuid }) => uuid), uuidGenerate()];
  }

  openContainer(uuid: Uuid): ScrubContainer | undefined {
    const found = this.all.find((container) => container.uuid === uuid);
    if (!found) return undefined;
    found.references++;
    return {
      uuid,
      checksumType: found.type,
      isStopping: () => found.isStopping,
      *objects() {
        for (const [lo, values] of found.objects) {
          yield { oid: { oid: { hi: 0n, lo }, shard: 0, layoutVersion: 1 }, values: () => list(values, found.failing.get(lo)) };
        }
      },
      close: () => void found.references--,
    };
  }

  corruptionDetected(container: Uuid, value: ScrubValue): void {
    this.events.push({ container, value });
  }

  async drain(): Promise<void> {
    this.drains++;
    await Promise.resolve();
    if (this.drainError) throw this.drainError;
  }
}

function* list(values: readonly FakeValue[], error: DaosError | undefined): Generator<FakeValue> {
  if (error) throw error;
  for (const value of values) if (value.isThere) yield value;
}
