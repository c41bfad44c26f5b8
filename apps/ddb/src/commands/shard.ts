import { DaosError, formatBinaryBytes } from '@daos/common';

import type { DdbCommand } from '../command.js';
import { featureFlags, featureNames } from '../features.js';
import { vosPathParse } from '../path/vos_path.js';
import { required } from '../place.js';
import type { DdbPool } from '../pool/ddb_pool.js';
import type { Session } from '../session.js';

const DB_PATH_OPTION = { flags: '-p, --db_path <path>', description: "folder of the system's database" };

const open: DdbCommand = {
  name: 'open',
  description: 'open the shard at a path .../POOL_UUID/vos-N',
  args: ['[path]'],
  options: [{ flags: '-w, --write_mode', description: 'to modify it' }, DB_PATH_OPTION],
  async run(session, { args: [path], options }) {
    const dbPath = options['db_path'];
    const write = options['write_mode'] === true;
    await session.open(required(path, 'a shard'), { write, ...(typeof dbPath === 'string' ? { dbPath } : {}) });
  },
};

const close: DdbCommand = {
  name: 'close',
  description: 'close the open shard',
  async run(session) {
    await session.close();
  },
};

const superblockDump: DdbCommand = {
  name: 'superblock_dump',
  description: 'show the superblock of the shard',
  run(session) {
    const block = session.pool.superblock();
    session.print(`Pool UUID: ${block.uuid}`);
    if (block.formatVersion !== undefined) session.print(`Format Version: ${block.formatVersion}`);
    session.print(`Containers: ${block.containerCount}`);
    session.print(`Compat Flags: ${block.compatFlags}`);
    session.print(`Incompat Flags: ${block.incompatFlags}`);
    session.print(`SCM Size: ${formatBinaryBytes(block.scmBytes)}`);
    session.print(`NVMe Size: ${formatBinaryBytes(block.nvmeBytes)}`);
    session.print(`Block Size: ${formatBinaryBytes(block.blockBytes)}`);
  },
};

const feature: DdbCommand = {
  name: 'feature',
  description: 'show or change the features of a shard: the open one, or the one at a path',
  args: ['[path]'],
  options: [
    { flags: '-e, --enable <names>', description: 'names, with commas between them' },
    { flags: '-d, --disable <names>', description: 'names, with commas between them' },
    { flags: '-s, --show', description: 'show them' },
    DB_PATH_OPTION,
  ],
  async run(session, { args: [path], options }) {
    const { enable, disable, show } = options;
    if ([enable, disable, show].filter((option) => option !== undefined).length !== 1) {
      throw new DaosError('INVAL', 'feature: give one of --enable, --disable and --show');
    }
    const change = typeof enable === 'string' ? enable : typeof disable === 'string' ? disable : undefined;
    const flags = change === undefined ? 0n : featureFlags(change);
    await withPool(session, path, change !== undefined, async (pool) => {
      const before = pool.features();
      if (change !== undefined) {
        const compat = enable === undefined ? before.compat & ~flags : before.compat | flags;
        await pool.setFeatures({ ...before, compat });
      }
      const { compat, incompat } = pool.features();
      session.print(`Compat Flags: ${compat}${featureNames(compat)}`);
      session.print(`Incompat Flags: ${incompat}`);
    });
  },
};

const rmPool: DdbCommand = {
  name: 'rm_pool',
  description: 'remove a shard: the open one, or the one at a path',
  args: ['[path]'],
  options: [DB_PATH_OPTION],
  async run(session, { args: [path], options }) {
    const dbPath = options['db_path'];
    const target = path === undefined ? session.path : vosPathParse(path, typeof dbPath === 'string' ? dbPath : undefined);
    if (!target) throw new DaosError('INVAL', 'rm_pool: no shard is open; give the path of one');
    checkMayModify(session, 'rm_pool', path);
    if (path === undefined) await session.close();
    else if (session.isOpen) throw new DaosError('BUSY', 'a shard is open: close it first');
    await session.store.removePool(target);
    session.print(`removed ${target.path}`);
  },
};

const veaDump: DdbCommand = {
  name: 'vea_dump',
  description: 'show the free regions of the data file',
  run(session) {
    let count = 0;
    for (const { offset, blocks } of session.pool.freeRegions()) {
      session.print(`[${count++}] offset ${offset}, ${blocks} blocks`);
    }
    session.print(`${count} free regions`);
  },
};

const veaUpdate: DdbCommand = {
  name: 'vea_update',
  description: 'mark a region of the data file free',
  args: ['[offset]', '[blk_cnt]'],
  modifies: true,
  async run(session, { args: [offset, count] }) {
    const region = { offset: blockNumber('offset', offset), blocks: blockNumber('blk_cnt', count) };
    if (region.offset === 0 || region.blocks === 0) {
      throw new DaosError('INVAL', 'vea_update: block 0 is never free, and a region has blocks');
    }
    await session.pool.freeRegionAdd(region);
    session.print(`marked ${region.blocks} blocks at ${region.offset} free`);
  },
};

export const SHARD_COMMANDS: readonly DdbCommand[] = [open, close, superblockDump, feature, rmPool, veaDump, veaUpdate];

/** The open shard, or the one at a path, for as long as `use` runs. */
async function withPool(session: Session, path: string | undefined, write: boolean, use: (pool: DdbPool) => Promise<void>): Promise<void> {
  if (path === undefined) {
    if (write) session.checkWritable('feature');
    await use(session.pool);
    return;
  }
  if (write) checkMayModify(session, 'feature', path);
  await session.open(path, { write });
  try {
    await use(session.pool);
  } finally {
    await session.close();
  }
}

/** A shard that a command opens itself may be modified when ddb was started with -w. */
function checkMayModify(session: Session, command: string, path: string | undefined): void {
  const may = path === undefined ? session.isWritable : session.options.write === true;
  if (!may) throw new DaosError('INVAL', `${command} modifies the shard: start ddb with -w`);
}

function blockNumber(what: string, text: string | undefined): number {
  const value = text !== undefined && /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new DaosError('INVAL', `vea_update: ${what} "${text ?? ''}" is no number of blocks`);
  return value;
}
