import { DaosError, type Uuid } from '@daos/common';
import { dtxIdParse, dtxIdText, type DtxId } from '@daos/vos';

import type { DdbCommand } from '../command.js';
import { unitOidFormat } from '../path/tree_path.js';
import { containerPlace } from '../place.js';
import type { DdbActiveDtx, DdbPool } from '../pool/ddb_pool.js';
import type { Session } from '../session.js';

const ALL = 'all';

const dtxDump: DdbCommand = {
  name: 'dtx_dump',
  description: 'show the transactions of a container',
  args: ['[path]'],
  options: [
    { flags: '-a, --active', description: 'only the active ones' },
    { flags: '-c, --committed', description: 'only the committed ones' },
  ],
  run(session, { args: [path], options }) {
    const { pool } = session;
    const container = containerPlace(pool, path);
    const both = options['active'] === options['committed'];
    if (both || options['active']) printActive(session, container);
    if (both || options['committed']) printCommitted(session, container);
  },
};

const dtxStat: DdbCommand = {
  name: 'dtx_stat',
  description: 'count the transactions of a container, or of all',
  args: ['[path]'],
  options: [{ flags: '-d, --details', description: 'also the times of commit' }],
  run(session, { args: [path], options }) {
    for (const container of containersOf(session.pool, path)) {
      let active = 0;
      for (const _ of session.pool.dtxActive(container)) active++;
      let committed = 0;
      let oldest = Infinity;
      let newest = 0;
      for (const { commitTime } of session.pool.dtxCommitted(container)) {
        committed++;
        oldest = Math.min(oldest, commitTime);
        newest = Math.max(newest, commitTime);
      }
      session.print(`${container}: ${active} active, ${committed} committed`);
      if (options['details'] && committed > 0) session.print(`  committed from ${timeText(oldest)} to ${timeText(newest)}`);
    }
  },
};

const dtxCmtClear: DdbCommand = {
  name: 'dtx_cmt_clear',
  description: 'forget the committed transactions of a container',
  args: ['[path]'],
  modifies: true,
  async run(session, { args: [path] }) {
    const removed = await session.pool.dtxCommittedClear(containerPlace(session.pool, path));
    session.print(`removed ${removed} committed transactions`);
  },
};

const dtxActCommit: DdbCommand = {
  name: 'dtx_act_commit',
  description: 'commit an active transaction',
  args: ['[path]', '[dtx_id]'],
  modifies: true,
  async run(session, { args: [path, text] }) {
    const container = containerPlace(session.pool, path);
    const id = dtxArgument(text);
    if (!(await session.pool.dtxCommit(container, id))) throw noSuch(id, container);
    session.print(`committed ${dtxIdText(id)}`);
  },
};

const dtxActAbort: DdbCommand = {
  name: 'dtx_act_abort',
  description: 'abort an active transaction',
  args: ['[path]', '[dtx_id]'],
  modifies: true,
  async run(session, { args: [path, text] }) {
    const container = containerPlace(session.pool, path);
    const id = dtxArgument(text);
    if (!(await session.pool.dtxAbort(container, id))) throw noSuch(id, container);
    session.print(`aborted ${dtxIdText(id)}`);
  },
};

const dtxActDiscardInvalid: DdbCommand = {
  name: 'dtx_act_discard_invalid',
  description: 'drop records of an active transaction, or of all, that are not there',
  args: ['[path]', '[dtx_id]'],
  modifies: true,
  async run(session, { args: [path, text] }) {
    const { pool } = session;
    const container = containerPlace(pool, path);
    const ids = text === ALL ? Array.from(pool.dtxActive(container), ({ id }) => id) : [dtxArgument(text)];
    for (const id of ids) {
      const discarded = await pool.dtxDiscardInvalid(container, id);
      session.print(`${dtxIdText(id)}: ${discarded} records dropped`);
    }
  },
};

const dtxAggr: DdbCommand = {
  name: 'dtx_aggr',
  description: 'forget old committed transactions of a container, or of all',
  args: ['[path]'],
  options: [
    { flags: '-t, --cmt_time <seconds>', description: 'those committed until this time, in seconds since 1970' },
    { flags: '-d, --cmt_date <date>', description: "those committed until this date, 'YYYY-MM-DD hh:mm:ss' local time" },
  ],
  modifies: true,
  async run(session, { args: [path], options }) {
    const until = untilTime(options['cmt_time'], options['cmt_date']);
    for (const container of [...containersOf(session.pool, path)]) {
      const removed = await session.pool.dtxAggregate(container, until);
      session.print(`${container}: removed ${removed} committed transactions`);
    }
  },
};

export const DTX_COMMANDS: readonly DdbCommand[] = [
  dtxDump,
  dtxStat,
  dtxCmtClear,
  dtxActCommit,
  dtxActAbort,
  dtxActDiscardInvalid,
  dtxAggr,
];

function printActive(session: Session, container: Uuid): void {
  session.print('Active transactions:');
  let count = 0;
  for (const entry of session.pool.dtxActive(container)) {
    count++;
    for (const line of activeLines(entry)) session.print(line);
  }
  if (count === 0) session.print('  none');
}

function activeLines(entry: DdbActiveDtx): string[] {
  return [
    `ID: ${dtxIdText(entry.id)}`,
    `  Epoch: ${entry.epoch}`,
    `  Grp Cnt: ${entry.groupCount}`,
    `  Ver: ${entry.version}`,
    `  Rec Cnt: ${entry.recordCount}`,
    `  Mbs Flags: ${entry.mbsFlags}`,
    `  Flags: ${entry.flags}`,
    `  Oid: ${unitOidFormat(entry.oid)}`,
  ];
}

function printCommitted(session: Session, container: Uuid): void {
  session.print('Committed transactions:');
  let count = 0;
  for (const { id, epoch, commitTime } of session.pool.dtxCommitted(container)) {
    count++;
    session.print(`ID: ${dtxIdText(id)}`);
    session.print(`  Epoch: ${epoch}`);
    session.print(`  Commit Time: ${timeText(commitTime)}`);
  }
  if (count === 0) session.print('  none');
}

function containersOf(pool: DdbPool, path: string | undefined): Iterable<Uuid> {
  return path === undefined ? pool.containers() : [containerPlace(pool, path)];
}

function dtxArgument(text: string | undefined): DtxId {
  if (text === undefined) throw new DaosError('INVAL', 'give the id of a transaction, UUID.HLC');
  return dtxIdParse(text);
}

function noSuch(id: DtxId, container: Uuid): DaosError {
  return new DaosError('NONEXIST', `transaction ${dtxIdText(id)} is not active in ${container}`);
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** Seconds since 1970 that the options say; undefined: no limit. */
function untilTime(seconds: string | boolean | undefined, date: string | boolean | undefined): number | undefined {
  if (seconds !== undefined && date !== undefined) throw new DaosError('INVAL', 'dtx_aggr: give a time or a date, not both');
  if (typeof seconds === 'string') {
    const value = /^\d+$/.test(seconds) ? Number(seconds) : NaN;
    if (!Number.isSafeInteger(value)) throw new DaosError('INVAL', `"${seconds}" is no time in seconds`);
    return value;
  }
  if (typeof date !== 'string') return undefined;
  const fields = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(date)?.slice(1).map(Number);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields ?? [];
  const time = new Date(year, month - 1, day, hour, minute, second);
  const isReal = time.getMonth() === month - 1 && time.getDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!fields || !isReal) throw new DaosError('INVAL', `"${date}" is no date: expected 'YYYY-MM-DD hh:mm:ss'`);
  return Math.floor(time.getTime() / 1000);
}
