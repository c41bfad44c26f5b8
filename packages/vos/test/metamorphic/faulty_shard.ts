import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BioFile } from '@daos/bio';
import { FaultyIo, MemoryIo } from '@daos/bio/testing';
import { uuidGenerate, type Uuid } from '@daos/common';
import { configureLogging, type Random } from '@daos/gurt';

import { TargetTimestamps, vosPoolCreate } from '../../src/index.js';
import type { PoolHandle } from '../../src/pool.js';
import { poolOpen } from '../../src/open_shards.js';
import type { PoolOpenOptions } from '../../src/pool_files.js';
import { openLmdb } from '../../src/umem/lmdb_store.js';
import { MIB } from '../fixture.js';
import { FaultyDisk } from '../umem/faulty_disk.js';
import { Machine, PowerCut } from '../umem/machine.js';

const SCM_BYTES = 16 * MIB;
const NVME_BYTES = 16 * MIB;
/** Enough for a program's few entities; the usual sizes cost more than all that a program does. */
const TIMESTAMPS = [
  { positive: 16, negative: 1 },
  { positive: 256, negative: 64 },
  { positive: 256, negative: 64 },
  { positive: 512, negative: 64 },
];

// an index that fails on purpose says so each time
configureLogging({ mask: 'ERR,vos=CRIT' });

/** A folder in memory, with a shard that is copied rather than made anew. */
export class Workshop {
  private made = 0;

  private constructor(
    private readonly root: string,
    readonly uuid: Uuid,
  ) {}

  static async open(): Promise<Workshop> {
    const root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vos-meta-'));
    const uuid = uuidGenerate();
    await vosPoolCreate({ dir: join(root, 'template'), uuid, scmBytes: SCM_BYTES, nvmeBytes: NVME_BYTES });
    return new Workshop(root, uuid);
  }

  async newFolder(): Promise<string> {
    const dir = join(this.root, `${this.made++}`);
    await mkdir(dir);
    for (const name of ['superblock', 'index.mdb']) await copyFile(join(this.root, 'template', name), join(dir, name));
    return dir;
  }

  async close(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

/**
 * A shard whose log files and data file lie in memory and lose, tear and refuse as disks do. LMDB is trusted to keep
 * its last durable commit.
 */
export class FaultyShard {
  pool!: PoolHandle;
  isFaulty = false;
  isDataLost = false;
  isIndexDown = false;
  checkpoints = 0;
  private readonly disk: FaultyDisk;
  private readonly memory = new MemoryIo('data');
  private data!: FaultyIo;
  private machine!: Machine;
  private restarts = 0;
  private readonly tuning: PoolOpenOptions;

  private constructor(
    private readonly random: Random,
    private dir: string,
    private readonly uuid: Uuid,
  ) {
    this.disk = new FaultyDisk(random, random.below(6));
    const logBytesMax = 512 * (8 + random.below(120));
    this.tuning = {
      checkpointEntries: 8 + random.below(60),
      checkpointLogBytes: 512 * (4 + random.below(60)),
      sliceEntries: 1 + random.below(12),
      logBytesMax,
      checkpoint: { mode: random.below(6) === 0 ? 'disabled' : 'lazy', frequencySeconds: 60, thresholdPercent: 50 },
    };
  }

  static async create(workshop: Workshop, random: Random): Promise<FaultyShard> {
    const shard = new FaultyShard(random, await workshop.newFolder(), workshop.uuid);
    for (const name of ['log.0', 'log.1']) {
      await shard.disk.create(name);
      // a log that has to grow first is slow: few of them are enough
      if (random.below(20) > 0) shard.disk.overwrite(name, 0, Buffer.alloc(shard.tuning.logBytesMax ?? 0));
    }
    await BioFile.createOn(shard.memory, NVME_BYTES);
    await shard.open();
    return shard;
  }

  /** What was acknowledged is there after this; `interruptions`: power cuts in the middle of it. */
  async open(interruptions = 0): Promise<void> {
    for (let left = interruptions; left > 0; left--) {
      this.prepare().transactionsLeft = this.random.below(3);
      try {
        await this.openOnce();
        await this.crash();
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        this.disk.crash();
      }
    }
    this.prepare();
    await this.openOnce();
  }

  /** The power fails, whatever is under way. */
  async crash(): Promise<void> {
    const { random } = this;
    await this.machine.crash();
    await this.data.crash(random.below(3) === 0 ? 'all' : { seed: random.below(2 ** 31) });
    await this.move();
  }

  async close(): Promise<void> {
    await this.pool.close();
    this.machine.stop();
    await this.move();
  }

  /** Lets a call fail that comes soon. The result says which. */
  arm(): string {
    const { random, disk } = this;
    this.isFaulty = true;
    const code = random.below(2) === 0 ? 'EIO' : 'ENOSPC';
    let after = random.below(4);
    if (random.below(3) === 0) {
      const step = (['read', 'write', 'flush'] as const)[random.below(3)] ?? 'read';
      const when = (): boolean => {
        this.isDataLost ||= step !== 'read';
        return true;
      };
      this.data.inject({ step, when, after, times: 1 + random.below(2), effect: { kind: 'fail', code: step === 'read' ? 'EIO' : code } });
      return `data ${step} fails with ${code} after ${after}`;
    }
    const call = random.below(2) === 0 ? 'write' : 'sync';
    disk.fault = (each) => (each === call && after-- === 0 ? Object.assign(new Error(`${code}: injected, ${call}`), { code }) : undefined);
    return `log ${call} fails with ${code} after ${after}`;
  }

  async destroy(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  private prepare(): Machine {
    this.isFaulty = false;
    this.isDataLost = false;
    this.isIndexDown = false;
    this.disk.fault = () => undefined;
    this.data = new FaultyIo(this.memory);
    return (this.machine = new Machine(this.disk, this.random));
  }

  private async openOnce(): Promise<void> {
    const { machine, data, disk } = this;
    this.pool = await poolOpen({ dir: this.dir, uuid: this.uuid, timestamps: new TargetTimestamps(() => 0n, TIMESTAMPS) }, {
      ...this.tuning,
      logFiles: {
        create: (path) => disk.create(nameOf(path)),
        open: (path) => disk.open(nameOf(path)),
      },
      openStore: (path, bytes) => machine.guard(openLmdb(path, bytes)),
      openData: () => BioFile.openOn(data),
      onEvent: ({ type }) => {
        if (machine !== this.machine || !machine.isRunning) return;
        if (type === 'failed') this.isIndexDown = true;
        if (type === 'checkpointDone') this.checkpoints++;
      },
    });
  }

  /** The old process may still hold the folder under its old name. */
  private async move(): Promise<void> {
    const next = `${this.dir.split('-life')[0] ?? ''}-life${++this.restarts}`;
    await rename(this.dir, next);
    this.dir = next;
  }
}

function nameOf(path: string): string {
  return path.endsWith('log.0') ? 'log.0' : 'log.1';
}
