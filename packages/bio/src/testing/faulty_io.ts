import { seededRandom, type Random } from '@daos/gurt';

import type { BlockIo, WriteRun } from '../block_io.js';
import { forEachPage } from './memory_io.js';

const PAGE_BYTES = 4096;
/** What a device writes as a whole even when its power goes. */
const SECTOR_BYTES = 512;

export type FaultStep = 'read' | 'write' | 'flush';

/** One call that a fault may meet. For a flush, offset and length are 0. */
export interface FaultCall {
  readonly step: FaultStep;
  readonly offset: number;
  readonly length: number;
}

export interface Fault {
  readonly step: FaultStep;
  /** Which calls; default all. */
  readonly when?: (call: FaultCall) => boolean;
  /** Calls that match and go well before the first one that does not. Default 0. */
  readonly after?: number;
  /** Calls that are met. Default all. */
  readonly times?: number;
  /**
   * `fail`: the system's error `code` (default EIO); a failed flush loses what was not durable.
   * `tear`: the first `bytes` bytes of the run are written, then it fails with EIO.
   * `stall`: nothing happens until `releaseStalls`.
   */
  readonly effect:
    | { readonly kind: 'fail'; readonly code?: string }
    | { readonly kind: 'tear'; readonly bytes: number }
    | { readonly kind: 'stall' };
}

/** What becomes of unsynced sectors in a crash: none survives, or each by the toss of a coin. */
export type CrashLoss = 'all' | { readonly seed: number };

interface ArmedFault {
  readonly fault: Fault;
  met: number;
}

/**
 * A device that fails on demand, over another one. Writes rest in memory until a flush puts them on the device below, so
 * that `crash` can lose them as a power failure does: all, or any of their sectors. After a crash every call fails;
 * put a new `FaultyIo` over the device below to "restart". For tests.
 */
export class FaultyIo implements BlockIo {
  /** Unsynced pages, whole. */
  private readonly unsynced = new Map<number, { bytes: Uint8Array; dirty: boolean[] }>();
  private readonly faults = new Set<ArmedFault>();
  private stalls: (() => void)[] = [];
  private crashed = false;
  /** Bytes as `size` tells them, with what is not synced yet. */
  private bytes = 0;
  private known = false;
  /** How many calls of each step have arrived. */
  readonly calls: Record<FaultStep, number> = { read: 0, write: 0, flush: 0 };

  constructor(private readonly below: BlockIo) {}

  get path(): string {
    return this.below.path;
  }

  /** Arms a fault; the result disarms it. */
  inject(fault: Fault): () => void {
    const armed = { fault, met: 0 };
    this.faults.add(armed);
    return () => this.faults.delete(armed);
  }

  /** Lets all that stalled go on. */
  releaseStalls(): void {
    const stalls = this.stalls;
    this.stalls = [];
    for (const go of stalls) go();
  }

  /** Power fails. What was flushed is on the device below; of the rest nothing, or sectors at random. */
  async crash(loss: CrashLoss = 'all'): Promise<void> {
    this.crashed = true;
    if (loss !== 'all') await this.writeSurvivors(seededRandom(loss.seed));
    this.unsynced.clear();
    this.releaseStalls();
  }

  async size(): Promise<number> {
    await this.learnSize();
    return this.bytes;
  }

  async resize(bytes: number): Promise<void> {
    this.checkAlive();
    await this.below.resize(bytes);
    this.bytes = bytes;
    this.known = true;
  }

  async write(runs: readonly WriteRun[], sync: boolean): Promise<void> {
    await this.learnSize();
    for (const run of runs) {
      const tear = await this.meet({ step: 'write', offset: run.offset, length: run.length });
      await this.keep(run, tear ?? run.length);
      if (tear !== undefined) throw systemError('EIO', 'pwritev');
    }
    if (!sync) return;
    try {
      await this.meet({ step: 'flush', offset: 0, length: 0 });
    } catch (error) {
      // the system forgets pages that it could not write: reading them gives what was there before
      this.unsynced.clear();
      throw error;
    }
    await this.sync();
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    await this.learnSize();
    await this.meet({ step: 'read', offset, length: into.length });
    const length = Math.max(0, Math.min(into.length, this.bytes - offset));
    await this.below.read(offset, into.subarray(0, length));
    forEachPage(offset, length, (page, from, start, end) => {
      const held = this.unsynced.get(page);
      if (held) into.set(held.bytes.subarray(from, from + end - start), start);
    });
    return length;
  }

  /** Never at once: all reads take the way on which they can fail. */
  readNow(): number {
    this.checkAlive();
    return -1;
  }

  close(): Promise<void> {
    return this.below.close();
  }

  private async learnSize(): Promise<void> {
    this.checkAlive();
    if (this.known) return;
    this.bytes = await this.below.size();
    this.known = true;
  }

  private checkAlive(): void {
    if (this.crashed) throw systemError('ENODEV', 'crash');
  }

  /** Waits or throws as the armed faults say; the result is where a torn write ends. */
  private async meet(call: FaultCall): Promise<number | undefined> {
    this.calls[call.step]++;
    for (const armed of this.faults) {
      if (!matches(armed, call)) continue;
      const { effect } = armed.fault;
      if (effect.kind === 'tear') return Math.min(effect.bytes, call.length);
      if (effect.kind === 'fail') throw systemError(effect.code ?? 'EIO', CALL_NAMES[call.step]);
      await new Promise<void>((resolve) => this.stalls.push(resolve));
      this.checkAlive();
    }
    return undefined;
  }

  private async keep(run: WriteRun, bytesMax: number): Promise<void> {
    let offset = run.offset;
    let left = bytesMax;
    for (const whole of run.buffers) {
      const buffer = whole.subarray(0, left);
      left -= buffer.length;
      for (const page of pagesOf(offset, buffer.length)) await this.hold(page);
      forEachPage(offset, buffer.length, (page, from, start, end) => {
        const held = this.unsynced.get(page);
        if (!held) throw new Error('a page that is written to is held');
        held.bytes.set(buffer.subarray(start, end), from);
        const last = Math.ceil((from + end - start) / SECTOR_BYTES);
        for (let sector = Math.floor(from / SECTOR_BYTES); sector < last; sector++) held.dirty[sector] = true;
      });
      offset += buffer.length;
    }
    this.bytes = Math.max(this.bytes, offset);
  }

  private async hold(page: number): Promise<void> {
    if (this.unsynced.has(page)) return;
    const bytes = new Uint8Array(PAGE_BYTES);
    await this.below.read(page * PAGE_BYTES, bytes);
    this.unsynced.set(page, { bytes, dirty: new Array<boolean>(PAGE_BYTES / SECTOR_BYTES).fill(false) });
  }

  private async sync(): Promise<void> {
    this.checkAlive();
    const runs = [...this.unsynced].map(([page, { bytes }]) => this.cut(page * PAGE_BYTES, bytes));
    this.unsynced.clear();
    await this.below.write(runs, true);
  }

  private async writeSurvivors(random: Random): Promise<void> {
    const runs: WriteRun[] = [];
    for (const [page, { bytes, dirty }] of this.unsynced) {
      for (const [sector, written] of dirty.entries()) {
        if (!written || random.next() < 0.5) continue;
        const from = sector * SECTOR_BYTES;
        runs.push(this.cut(page * PAGE_BYTES + from, bytes.subarray(from, from + SECTOR_BYTES)));
      }
    }
    await this.below.write(runs, true);
  }

  private cut(offset: number, bytes: Uint8Array): WriteRun {
    const inside = bytes.subarray(0, Math.max(0, this.bytes - offset));
    return { offset, buffers: [inside], length: inside.length };
  }
}

const CALL_NAMES: Readonly<Record<FaultStep, string>> = { read: 'pread', write: 'pwritev', flush: 'fdatasync' };

function matches(armed: ArmedFault, call: FaultCall): boolean {
  const { step, when, after = 0, times = Infinity } = armed.fault;
  if (step !== call.step || (when && !when(call))) return false;
  armed.met++;
  return armed.met > after && armed.met <= after + times;
}

function pagesOf(offset: number, length: number): number[] {
  const pages: number[] = [];
  forEachPage(offset, length, (page) => pages.push(page));
  return pages;
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall });
}
