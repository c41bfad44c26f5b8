import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { seededRandom, type Random } from '@daos/gurt';
import { crc32c } from '@node-rs/crc32';

import { IndexKey } from '../../src/layout/index_key.js';
import { LmdbUmem, type LmdbUmemPaths } from '../../src/umem/lmdb_umem.js';
import { openLmdb } from '../../src/umem/lmdb_store.js';
import type { UmemDataWrite } from '../../src/umem/umem.js';
import type { UmemEvent } from '../../src/umem/umem_event.js';
import type { UmemOptions } from '../../src/umem/umem_options.js';
import { FaultyDisk, turn } from './faulty_disk.js';
import { Machine, PowerCut } from './machine.js';

const USABLE_BYTES = 8 * 1024 * 1024;
const KEYS_MAX = 24;
const BLOCKS = 12;
const BLOCK_BYTES = 1024;
const LIVES_MAX = 4;
const STEPS_MAX = 40;
/** Marks a value that names a block of the data file. */
const BLOCK_MARK = 'block ';

/** Modifications that a caller made in one go: all of them are there after a crash, or none. */
type Group = readonly (readonly [key: string, value: string | undefined])[];

/** What many programs together came across: a run that met none of these would prove little. */
export interface Coverage {
  crashes: number;
  recoveries: number;
  interruptedRecoveries: number;
  cuts: number;
  checkpoints: number;
  unacknowledgedKept: number;
  unacknowledgedLost: number;
  blocksReused: number;
}

export function newCoverage(): Coverage {
  return {
    crashes: 0, recoveries: 0, interruptedRecoveries: 0, cuts: 0, checkpoints: 0,
    unacknowledgedKept: 0, unacknowledgedLost: 0, blocksReused: 0,
  };
}

/**
 * One random program: groups of modifications, some of which depend on data writes, checkpoints in between, and a crash
 * of the operating system at some step. LMDB is trusted to keep its last durable commit; log and data are what the
 * faulty disk leaves. After recovery the index must be as after some number of groups, not fewer than were acknowledged.
 */
export async function runCrashProgram(seed: number, coverage: Coverage, durability: 'full' | 'none' = 'full'): Promise<void> {
  const dir = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'umem-crash-'));
  try {
    await new CrashProgram(dir, seededRandom(seed), coverage, durability).run();
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

class CrashProgram {
  private readonly disk: FaultyDisk;
  private readonly paths: LmdbUmemPaths;
  private readonly options: UmemOptions;
  private machine!: Machine;
  private umem!: LmdbUmem;
  /** The index before any of `groups`. */
  private base = new Map<string, string>();
  private groups: Group[] = [];
  private acknowledged = 0;
  private readonly keys: number;
  private freeBlocks: number[] = [];
  private writtenAhead: { readonly text: string; readonly write: UmemDataWrite }[] = [];
  private serial = 0;

  constructor(
    dir: string,
    private readonly random: Random,
    private readonly coverage: Coverage,
    private readonly durability: 'full' | 'none',
  ) {
    this.disk = new FaultyDisk(random, random.below(6));
    this.keys = 2 + random.below(KEYS_MAX - 2);
    this.paths = { index: join(dir, 'index'), logs: ['log.0', 'log.1'] };
    this.options = {
      checkpointEntries: 4 + random.below(40),
      checkpointLogBytes: 512 * (2 + random.below(40)),
      sliceEntries: 1 + random.below(8),
      logBytesMax: 512 * (4 + random.below(40)),
      checkpoint: { mode: random.below(4) === 0 ? 'disabled' : 'lazy', frequencySeconds: 60, thresholdPercent: 50 },
      durability,
      logFiles: this.disk,
      readData: async (offset, bytes) => {
        await this.disk.take('read', 'data', this.machine.life);
        return Promise.resolve(this.disk.bytes('data').subarray(offset, offset + bytes));
      },
      openStore: (path, usableBytes) => this.machine.guard(openLmdb(path, usableBytes)),
      onEvent: (event) => this.onEvent(event),
    };
  }

  async run(): Promise<void> {
    this.machine = new Machine(this.disk, this.random);
    await LmdbUmem.create(this.paths, USABLE_BYTES, this.options);
    await this.disk.create('data');
    this.disk.overwrite('data', 0, Buffer.alloc(BLOCKS * BLOCK_BYTES));
    await this.recover();
    for (let lives = 1 + this.random.below(LIVES_MAX); lives > 0; lives--) {
      for (let steps = 1 + this.random.below(STEPS_MAX); steps > 0; steps--) await this.step();
      if (this.random.below(5) === 0) await this.closeCleanly();
      else {
        if (this.random.below(2) === 0) await this.reuseBlocks();
        await this.machine.crash();
      }
      this.coverage.crashes++;
      this.machine = new Machine(this.disk, this.random);
      await this.recover();
    }
    await this.umem.close();
  }

  private async step(): Promise<void> {
    const kind = this.random.below(12);
    if (kind < 6) this.modify();
    else if (kind < 7) this.touchAndForget();
    else if (kind < 9) this.writeAhead();
    else if (kind < 11) for (let turns = this.random.below(4); turns > 0; turns--) await turn();
    else await this.umem.durable();
  }

  /** A group of modifications by a caller who waits. */
  private modify(): void {
    const group: [string, string | undefined][] = [];
    const freed: number[] = [];
    for (let count = 1 + this.random.below(4); count > 0; count--) {
      const key = `key ${this.random.below(this.keys)}`;
      const before = this.umem.get(keyOf(key));
      const value = this.newValue();
      if (value === undefined) this.umem.remove(keyOf(key));
      else this.umem.put(keyOf(key), Buffer.from(value));
      if (before) freed.push(...blockOf(String(Buffer.from(before))));
      group.push([key, value]);
    }
    this.groups.push(group);
    const count = this.groups.length;
    const { machine } = this;
    this.umem.durable().then(() => {
      if (machine.isRunning && this.durability === 'full') this.acknowledged = Math.max(this.acknowledged, count);
    }, () => undefined);
    if (freed.length > 0) {
      this.umem.sealed().then(() => {
        if (machine.isRunning) this.freeBlocks.push(...freed);
      }, () => undefined);
    }
  }

  /** Modifications nobody waits for end up in some batch, too. */
  private touchAndForget(): void {
    const key = `key ${KEYS_MAX + this.random.below(4)}`;
    const value = `${this.serial++}`;
    this.umem.put(keyOf(key), Buffer.from(value));
    this.groups.push([[key, value]]);
  }

  private newValue(): string | undefined {
    const kind = this.random.below(8);
    if (kind === 0) return undefined;
    if (kind < 5) return `${this.serial++} ${'x'.repeat(this.random.below(this.random.below(5) === 0 ? 1500 : 40))}`;
    if (this.random.below(2) === 0) this.writeAhead();
    const ahead = this.writtenAhead.shift();
    if (!ahead) return `${this.serial++}`;
    this.umem.dependsOn(ahead.write);
    return ahead.text;
  }

  /** Writes a block that the index will name later, or never: before a crash, an old record may name it still. */
  private writeAhead(): void {
    // the one freed last: it is the most likely to be missed
    const block = this.freeBlocks.pop();
    if (block === undefined) return;
    const text = `${BLOCK_MARK}${block} of ${this.serial++}`;
    const bytes = contentOf(text);
    const offset = block * BLOCK_BYTES;
    if (this.disk.bytes('data').subarray(offset, offset + BLOCK_BYTES).some((byte) => byte !== 0)) this.coverage.blocksReused++;
    const done = this.machine.writeData(bytes, offset);
    this.writtenAhead.push({ text, write: { offset, bytes: bytes.length, crc: crc32c(bytes), done } });
  }

  /** A crash right after blocks were given back and written again, with nothing in the log behind that. */
  private async reuseBlocks(): Promise<void> {
    await this.umem.durable();
    while (this.freeBlocks.length > 0) this.writeAhead();
    for (let turns = this.random.below(12); turns > 0; turns--) await turn();
  }

  private async closeCleanly(): Promise<void> {
    await this.umem.close();
    this.machine.stop();
    if (this.durability === 'none') return;
    this.acknowledged = this.groups.length;
  }

  /** Opens the index, perhaps after further crashes on the way, and compares it with the model. */
  private async recover(): Promise<void> {
    while (this.random.below(4) === 0) {
      const { machine } = this;
      machine.transactionsLeft = this.random.below(3);
      const opened = await LmdbUmem.open(this.paths, USABLE_BYTES, this.options).catch((error: unknown) => {
        if (!(error instanceof PowerCut)) throw error;
        return undefined;
      });
      if (opened) {
        this.umem = opened;
        await machine.crash();
      } else this.disk.crash();
      this.coverage.interruptedRecoveries++;
      this.machine = new Machine(this.disk, this.random);
    }
    this.umem = await LmdbUmem.open(this.paths, USABLE_BYTES, this.options);
    this.coverage.recoveries++;
    this.compare();
  }

  private compare(): void {
    const found = new Map<string, string>();
    const from = new IndexKey().space(0x60);
    for (const { key, value } of this.umem.range({ from, to: new IndexKey().space(0x61) })) {
      found.set(String(Buffer.from(key.subarray(1))), String(Buffer.from(value)));
    }
    const state = new Map(this.base);
    let kept = -1;
    for (let count = 0; count <= this.groups.length && kept < 0; count++) {
      for (const [key, value] of this.groups[count - 1] ?? []) {
        if (value === undefined) state.delete(key);
        else state.set(key, value);
      }
      if (count >= this.acknowledged && isSame(state, found)) kept = count;
    }
    if (kept < 0) {
      throw new Error(`after recovery the index is in no state from ${this.acknowledged} to ${this.groups.length} groups: ${JSON.stringify([...found])}`);
    }
    this.coverage.unacknowledgedKept += kept - this.acknowledged;
    this.coverage.unacknowledgedLost += this.groups.length - kept;
    this.base = state;
    this.groups = [];
    this.acknowledged = 0;
    this.writtenAhead = [];
    this.checkData(found);
  }

  /** Every block that the index names holds what was written for it. The others are free. */
  private checkData(found: ReadonlyMap<string, string>): void {
    const used = new Set<number>();
    for (const value of found.values()) {
      for (const block of blockOf(value)) {
        used.add(block);
        const bytes = contentOf(value);
        const stored = this.disk.bytes('data').subarray(block * BLOCK_BYTES, block * BLOCK_BYTES + bytes.length);
        if (!stored.equals(bytes)) throw new Error(`the index says "${value}"; the block holds other data`);
      }
    }
    this.freeBlocks = Array.from({ length: BLOCKS }, (_, block) => block).filter((block) => !used.has(block));
  }

  private onEvent(event: UmemEvent): void {
    if (event.type === 'checkpointDone') this.coverage.checkpoints++;
    if (event.type === 'replayed' && event.isCut) this.coverage.cuts++;
    if (event.type === 'failed') throw new Error(`the index failed: ${event.error.message}`);
  }
}

function keyOf(text: string): IndexKey {
  return new IndexKey().space(0x60).raw(Buffer.from(text));
}

function blockOf(value: string): number[] {
  return value.startsWith(BLOCK_MARK) ? [Number.parseInt(value.slice(BLOCK_MARK.length), 10)] : [];
}

function contentOf(text: string): Buffer {
  return Buffer.alloc(BLOCK_BYTES, `${text};`);
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
