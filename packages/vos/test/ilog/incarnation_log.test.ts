import { collapse, CollapseMode } from '../../src/ilog/collapse.js';
import { IncarnationLog, LogAction } from '../../src/ilog/incarnation_log.js';
import { EntryStatus, LogState, type LogViewer } from '../../src/ilog/log_state.js';
import { PunchMark } from '../../src/ilog/punch_mark.js';

const OPEN: LogViewer = {
  status: () => EntryStatus.UNCOMMITTED,
  raise: () => {
    throw new Error('nobody waits here');
  },
};
const NOTHING = new PunchMark();

function write(log: IncarnationLog, kind: 'U' | 'P', epoch: number, owner = 0, minor = kind === 'U' ? 1 : 2): LogAction {
  return log.write({ epoch: BigInt(epoch), minor, isPunch: kind === 'P', owner });
}

/** Such as "1U 4P*": `*` marks what is not committed. */
function show(log: IncarnationLog): string {
  const entries = log.entries().map(({ epoch, owner, updateMinor, punchMinor }) => {
    return `${epoch}${punchMinor > updateMinor ? 'P' : 'U'}${owner === 0 ? '' : '*'}`;
  });
  return entries.join(' ');
}

/** A log as it can come about: each entry was written while the others were open. */
function logOf(text: string): IncarnationLog {
  const log = new IncarnationLog();
  const entries = text.split(' ').map((entry) => ({ epoch: Number(entry.slice(0, -1)), kind: entry.slice(-1) as 'U' | 'P' }));
  for (const { epoch, kind } of entries) write(log, kind, epoch, 100 + epoch);
  for (const { epoch } of entries) log.persist(BigInt(epoch), 100 + epoch);
  return log;
}

function aggregate(log: IncarnationLog, lo: number, hi: number): boolean {
  return collapse(log, CollapseMode.AGGREGATE, { lo: BigInt(lo), hi: BigInt(hi) }, NOTHING, OPEN);
}

function discard(log: IncarnationLog, lo: number, hi: number): boolean {
  return collapse(log, CollapseMode.DISCARD, { lo: BigInt(lo), hi: BigInt(hi) }, NOTHING, OPEN);
}

describe('an incarnation log (28.6)', () => {
  it('makes an update a punch within one transaction, and tells transactions apart (35)', () => {
    const log = new IncarnationLog();
    write(log, 'U', 1, 7);
    write(log, 'P', 1, 7);
    expect(log.count).toBe(1);
    expect(show(log)).toBe('1P*');
    expect(() => log.persist(1n, 8)).toThrow('DER_NONEXIST');
    log.persist(1n, 7);
    expect(show(log)).toBe('1P');
    const { version } = log;
    // already so
    expect(write(log, 'P', 1, 9)).toBe(LogAction.NONE);
    expect(() => write(log, 'U', 1, 9, 3)).toThrow('DER_TX_RESTART');
    expect(log.version).toBe(version);
    expect(show(log)).toBe('1P');
  });

  it('becomes a punch when the same transaction punches behind its update (36)', () => {
    const log = new IncarnationLog();
    write(log, 'U', 2, 7);
    write(log, 'P', 2, 7);
    expect(log.entry(0)).toMatchObject({ updateMinor: 1, punchMinor: 2 });
    expect(() => write(log, 'U', 2, 7, 2)).toThrow('DER_NO_PERM');
  });

  it('logs an update only where a committed one does not stand before it, and counts its changes (37)', () => {
    const log = new IncarnationLog();
    write(log, 'U', 1, 7);
    expect(write(log, 'U', 2, 8)).toBe(LogAction.INSERT);
    log.abort(2n, 8);
    log.persist(1n, 7);
    const { version } = log;
    expect(write(log, 'U', 3, 9)).toBe(LogAction.NONE);
    expect(log.version).toBe(version);
    write(log, 'P', 4);
    expect(write(log, 'U', 5, 9)).toBe(LogAction.INSERT);
    expect(log.version).toBe(version + 2);
  });

  it('loses what is aborted, and only that (38)', () => {
    const log = new IncarnationLog();
    expect(() => log.abort(1n, 7)).toThrow('DER_NONEXIST');
    write(log, 'U', 1, 7);
    log.abort(1n, 7);
    const state = new LogState();
    log.parse(9n, 9n, OPEN, state);
    expect(state.isEmpty).toBe(true);
    write(log, 'U', 1, 7);
    for (let round = 0; round < 5; round++) {
      for (let epoch = 2; epoch < 40; epoch++) write(log, epoch % 3 === 0 ? 'P' : 'U', epoch, epoch + 10);
      for (let epoch = 2; epoch < 40; epoch++) log.abort(BigInt(epoch), epoch + 10);
      expect(show(log)).toBe('1U*');
    }
  });

  it('keeps all entries when one of them is committed (40)', () => {
    const log = new IncarnationLog();
    for (const [epoch, kind] of [[1, 'U'], [2, 'U'], [3, 'U'], [4, 'P']] as const) write(log, kind, epoch, epoch + 10);
    const { version } = log;
    log.persist(2n, 12);
    log.persist(1n, 11);
    expect(show(log)).toBe('1U 2U 3U* 4P*');
    expect(log.version).toBe(version + 2);
  });

  it('collapses to what readers behind the range can tell (41)', () => {
    const log = logOf('1U 2U 3U 4P');
    expect(aggregate(log, 2, 4)).toBe(false);
    expect(show(log)).toBe('1U 4P');
    write(log, 'P', 5);
    write(log, 'U', 6);
    expect(aggregate(log, 0, 6)).toBe(false);
    expect(show(log)).toBe('6U');
    write(log, 'P', 7);
    expect(aggregate(log, 0, 7)).toBe(true);
  });

  it('is left by discard with what is outside of the range (42)', () => {
    const log = logOf('1U 2U 3U 4P');
    expect(discard(log, 2, 4)).toBe(false);
    expect(show(log)).toBe('1U');
    write(log, 'P', 5);
    write(log, 'U', 6);
    expect(discard(log, 0, 6)).toBe(true);
    write(log, 'U', 7);
    expect(discard(log, 0, 7)).toBe(true);
  });

  it('refuses to collapse over an open transaction, and leaves that alone', () => {
    const log = logOf('1U 2U');
    write(log, 'P', 3, 50);
    expect(() => aggregate(log, 0, 9)).toThrow('DER_TX_BUSY');
    expect(show(log)).toBe('1U 3P*');
  });

  it('says whether a transaction has an entry at an epoch (43)', () => {
    const log = new IncarnationLog();
    expect(log.hasEntry(1n, 7)).toBe(false);
    write(log, 'U', 1, 7);
    expect(log.hasEntry(1n, 7)).toBe(true);
    expect(log.hasEntry(1n, 8)).toBe(false);
    write(log, 'U', 2, 8);
    expect(log.hasEntry(2n, 8)).toBe(true);
    expect(log.hasEntry(3n, 8)).toBe(false);
  });

  it('comes back from its bytes, owners and damage included', () => {
    const log = logOf('1U 4P');
    write(log, 'U', 9, 77);
    log.markCorrupted();
    const bytes = new Uint8Array(log.encodedBytes);
    log.encode(new DataView(bytes.buffer), 0);
    const read = IncarnationLog.decode(bytes, 0, log.countField);
    expect(show(read)).toBe('1U 4P 9U*');
    expect(read.isCorrupted).toBe(true);
    expect(IncarnationLog.bytesFor(log.countField)).toBe(bytes.length);
  });
});

describe('reading a log', () => {
  const at = (log: IncarnationLog, hi: number, bound = hi): LogState => {
    const state = new LogState();
    log.parse(BigInt(hi), BigInt(bound), OPEN, state);
    return state;
  };

  it('finds the first creation of the incarnation that is seen', () => {
    const log = logOf('1U 2U 4P 6U 8U');
    expect(at(log, 3).create).toBe(1n);
    expect(at(log, 5)).toMatchObject({ create: 0n });
    expect(at(log, 9).create).toBe(6n);
    expect(at(log, 9).punch.epoch).toBe(4n);
  });

  it('tells what open transactions could bring or take', () => {
    const log = logOf('1U');
    write(log, 'P', 3, 50);
    expect(at(log, 5)).toMatchObject({ create: 1n, uncommitted: 3n, exists: false });
    const fresh = new IncarnationLog();
    write(fresh, 'U', 3, 50);
    expect(at(fresh, 5)).toMatchObject({ create: 0n, uncommitted: 3n, isEmpty: false });
  });

  it('restarts readers that cannot know whether a punch was before them, and warns of creations', () => {
    const log = logOf('1U 8P');
    expect(() => at(log, 5, 8)).toThrow('DER_TX_RESTART');
    expect(at(log, 5, 7)).toMatchObject({ create: 1n, nextPunch: 8n });
    expect(at(logOf('8U'), 5, 8).uncertainCreate).toBe(8n);
  });
});
