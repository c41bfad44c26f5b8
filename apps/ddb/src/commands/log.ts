import type { DdbCommand } from '../command.js';
import { logPlace, placeFormat } from '../place.js';

const ilogDump: DdbCommand = {
  name: 'ilog_dump',
  description: 'show the incarnation log of an object, dkey or akey',
  args: ['[path]'],
  run(session, { args: [path] }) {
    let count = 0;
    for (const { epoch, owner, status, isPunch } of session.pool.logEntries(logPlace(session.pool, path))) {
      session.print(`Index: ${count++}`);
      session.print(`  Kind: ${isPunch ? 'punch' : 'update'}`);
      session.print(`  Status: ${status}`);
      session.print(`  Epoch: ${epoch}`);
      session.print(`  Txn ID: ${owner}`);
    }
    if (count === 0) session.print('no entries');
  },
};

const ilogCommit: DdbCommand = {
  name: 'ilog_commit',
  description: 'make all entries of an incarnation log committed',
  args: ['[path]'],
  modifies: true,
  async run(session, { args: [path] }) {
    const place = logPlace(session.pool, path);
    await session.pool.logCommit(place);
    session.print(`committed the log of ${placeFormat(place)}`);
  },
};

const ilogClear: DdbCommand = {
  name: 'ilog_clear',
  description: 'remove all entries of an incarnation log',
  args: ['[path]'],
  modifies: true,
  async run(session, { args: [path] }) {
    const place = logPlace(session.pool, path);
    await session.pool.logClear(place);
    session.print(`cleared the log of ${placeFormat(place)}`);
  },
};

export const LOG_COMMANDS: readonly DdbCommand[] = [ilogDump, ilogCommit, ilogClear];
