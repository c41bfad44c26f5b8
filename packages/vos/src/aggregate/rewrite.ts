import { isDaosError, recxChecksums, recxChecksumsVerify, DaosError } from '@daos/common';
import type { VeaReservation } from '@daos/vea';

import { EMPTY } from '../layout/bytes.js';
import type { IodChecksums } from '../types.js';
import { recordsPerChunk, wholeChunks } from '../value/chunks.js';
import type { ExtentWatch } from '../value/extent/extent_watch.js';
import { minOf } from '../value/extent/extent_ref.js';
import { ValueRecord } from '../value/value_record.js';
import type { VisiblePiece } from '../value/visibility.js';
import { bytesOf, type Output } from './merge_plan.js';
import type { Path } from './path.js';
import { akeyNow, type Work } from './work.js';

/** Bytes that are verified, copied and summed in one go: far below a slice, whatever the checksum. */
const STEP_BYTES = 128 * 1024;
/** What a rewrite adds to the index beyond its values. */
const ROW_BYTES = 512;

export type RewriteResult = 'done' | 'disturbed' | 'damaged' | 'no space' | 'gone';

interface Made {
  readonly record: ValueRecord;
  readonly reservation: VeaReservation | undefined;
}

/**
 * Writes records that take the place of others: their data is read and verified, the new data is written and durable,
 * and then one batch puts the new records in the place of the old ones. When something of the array changed
 * meanwhile that matters, nothing is done and the space is given back.
 */
export class Rewrite {
  constructor(
    private readonly work: Work,
    private readonly path: Path,
    private readonly watch: ExtentWatch,
  ) {}

  /** `sources` leave the array: what shows of them, and only that, is in the outputs. */
  async run(outputs: readonly Output[], sources: readonly ValueRecord[]): Promise<RewriteResult> {
    const { data, space } = this.work.container.store;
    const made: Made[] = [];
    const punch = this.punch();
    let isPublished = false;
    try {
      space.checkPunch(outputs.reduce((sum, output) => sum + ROW_BYTES + (data.takes(sizeOf(output)) ? 0 : sizeOf(output)), 0));
      for (const output of outputs) made.push(await this.make(output));
      if (made.some(({ reservation }) => reservation)) await this.work.pacer.wait(data.flush());
      this.work.container.checkOpen();
      const result = this.apply(made, sources, punch);
      isPublished = result === 'done';
      return result;
    } catch (error) {
      if (isDaosError(error, 'CSUM')) return 'damaged';
      if (isDaosError(error, 'NOSPACE')) return 'no space';
      throw error;
    } finally {
      if (!isPublished) data.cancel(made.flatMap(({ reservation }) => reservation ?? []));
    }
  }

  private apply(made: readonly Made[], sources: readonly ValueRecord[], punch: string | undefined): RewriteResult {
    const { heads, data, extents } = this.work.container.store;
    const now = akeyNow(this.work, this.path);
    if (!now) return 'gone';
    if (this.watch.isDisturbed || punch !== this.punch()) return 'disturbed';
    for (const { reservation } of made) if (reservation) data.publish(reservation);
    extents.merge(now.head, made.map(({ record }) => record), sources);
    heads.modified(now.head);
    // our own changes
    this.watch.isDisturbed = false;
    return 'done';
  }

  /** The punch in force: what it hides must not come up again in something newer. */
  private punch(): string | undefined {
    const now = akeyNow(this.work, this.path);
    return now && `${now.state.punch.epoch} ${now.state.punch.minor}`;
  }

  /** One new record, with its data where it will stay. */
  private async make(output: Output): Promise<Made> {
    const { lo, hi, epoch, minor, parts } = output;
    const size = parts[0]?.record.size ?? 0;
    if (size === 0) return { record: ValueRecord.hole(epoch, minor, lo, hi), reservation: undefined };
    const { data } = this.work.container.store;
    const { bytes, checksums } = await this.build(output, size);
    if (!data.takes(bytes.length)) {
      return { record: new ValueRecord(epoch, minor, size, lo, hi, true, -1, checksums, bytes), reservation: undefined };
    }
    const reservation = data.reserve(bytes.length);
    try {
      await this.work.pacer.wait(data.write(reservation, bytes));
    } catch (error) {
      data.cancel([reservation]);
      throw error;
    }
    return { record: new ValueRecord(epoch, minor, size, lo, hi, true, reservation.offset, checksums, EMPTY), reservation };
  }

  /** The data of an output and its checksums, in steps between which others get the thread. DER_CSUM. */
  private async build({ lo, hi, parts }: Output, size: number): Promise<{ bytes: Uint8Array; checksums: IodChecksums | undefined }> {
    const { pacer } = this.work;
    const bytes = new Uint8Array(new ArrayBuffer(Number(hi - lo + 1n) * size));
    const like = parts.find(({ record }) => record.checksums)?.record.checksums;
    const stepRecords = recordsPerStep(size, like);
    for (const part of parts) {
      for (const step of stepsOf(part, stepRecords)) {
        const piece = await this.read(step);
        bytes.set(piece, Number(step.lo - lo) * size);
        if (pacer.spend('merge')) await pacer.pause();
      }
    }
    if (!like) return { bytes, checksums: undefined };
    const sums: Uint8Array[] = [];
    for (const step of stepsOf({ record: (parts[0] as VisiblePiece).record, lo, hi }, stepRecords)) {
      const from = Number(step.lo - lo) * size;
      const recx = { idx: step.lo, nr: step.hi - step.lo + 1n };
      const made = recxChecksums(like.type, like.chunkBytes, size, recx, bytes.subarray(from, from + bytesOf(step)));
      if (made) sums.push(made.bytes);
      if (pacer.isLate()) await pacer.pause();
    }
    return { bytes, checksums: { type: like.type, chunkBytes: like.chunkBytes, length: like.length, bytes: new Uint8Array(Buffer.concat(sums)) } };
  }

  /** A part of a source, verified over whole chunks. */
  private async read(piece: VisiblePiece): Promise<Uint8Array> {
    const { record, lo, hi } = piece;
    if (record.isCorrupted) throw new DaosError('CSUM', `the extent of epoch ${record.epoch} was found damaged`);
    const whole = record.checksums ? wholeChunks(record, record.checksums, lo, hi) : { lo, hi, checksums: undefined };
    const { data } = this.work.container.store;
    const count = Number(whole.hi - whole.lo + 1n) * record.size;
    const found = data.read(record, Number(whole.lo - record.lo) * record.size, count);
    const bytes = found instanceof Promise ? await this.work.pacer.wait(found) : found;
    if (whole.checksums) {
      const recx = { idx: whole.lo, nr: whole.hi - whole.lo + 1n };
      recxChecksumsVerify(recx, record.size, bytes, whole.checksums, `the extent [${record.lo}, ${record.hi}]@${record.epoch}`);
    }
    const from = Number(lo - whole.lo) * record.size;
    return bytes.subarray(from, from + bytesOf(piece));
  }
}

function sizeOf({ lo, hi, parts }: Output): number {
  return Number(hi - lo + 1n) * (parts[0]?.record.size ?? 0);
}

/** Whole checksum chunks, so that none is verified twice. */
function recordsPerStep(size: number, checksums: IodChecksums | undefined): bigint {
  const wanted = BigInt(Math.max(1, Math.floor(STEP_BYTES / size)));
  if (!checksums) return wanted;
  const perChunk = recordsPerChunk(checksums.chunkBytes, size);
  return wanted < perChunk ? perChunk : wanted - (wanted % perChunk);
}

/** A piece in steps that end at multiples of `stepRecords`. */
function* stepsOf({ record, lo, hi }: VisiblePiece, stepRecords: bigint): Generator<VisiblePiece> {
  for (let at = lo; at <= hi; ) {
    const end = minOf(hi, (at / stepRecords + 1n) * stepRecords - 1n);
    yield { record, lo: at, hi: end };
    at = end + 1n;
  }
}
