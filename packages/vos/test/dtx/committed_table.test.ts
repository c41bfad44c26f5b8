import { DaosError, isDaosError, uuidFromBytes } from '@daos/common';
import { seededRandom } from '@daos/gurt';

import { COMMITTED_BLOB_ENTRIES_MAX, committedBlobDecode, committedBlobEncode } from '../../src/dtx/committed_blob.js';
import { CommittedTable, type CommittedDtx } from '../../src/dtx/committed_table.js';
import { dtxIdEquals, dtxIdParse, dtxIdText } from '../../src/dtx/dtx_id.js';

const SEED = Number(process.env['VOS_SEED'] ?? Math.floor(Math.random() * 1e9));

function uuid(no: number): Buffer {
  const bytes = Buffer.alloc(16, 0xa5);
  bytes.writeUInt32BE(no, 12);
  return bytes;
}

/** Transactions of three clients, one per second. */
function dtx(no: number): CommittedDtx {
  return { uuid: uuid(no % 3), hlc: 0x8000_0000_0000_0000n + BigInt(no), epoch: 1000n + BigInt(no), commitTime: 1_700_000_000 + no };
}

function addAll(table: CommittedTable, from: number, to: number): void {
  for (let no = from; no < to; no++) {
    const { uuid: client, hlc, epoch, commitTime } = dtx(no);
    if (!table.add(client, hlc, epoch, commitTime)) throw new Error(`${no} is here already`);
  }
}

describe('the table of committed transactions', () => {
  it('knows each transaction by UUID and clock, with its epoch', () => {
    const table = new CommittedTable();
    expect(table.has(uuid(1), 5n)).toBe(false);
    expect(table.add(uuid(1), 5n, 100n, 7)).toBe(true);
    expect(table.epochOf(uuid(1), 5n)).toBe(100n);
    expect(table.has(uuid(2), 5n)).toBe(false);
    expect(table.has(uuid(1), 6n)).toBe(false);
    expect(table.epochOf(uuid(1), 5n + 0x1_0000_0000n)).toBeUndefined();
  });

  it('ignores a transaction that it has', () => {
    const table = new CommittedTable();
    table.add(uuid(1), 5n, 100n, 7);
    expect(table.add(uuid(1), 5n, 200n, 8)).toBe(false);
    expect(table.count).toBe(1);
    expect(table.epochOf(uuid(1), 5n)).toBe(100n);
  });

  it('refuses an id without a clock', () => {
    const table = new CommittedTable();
    expect(() => table.add(uuid(1), 0n, 100n, 7)).toThrow(DaosError);
    expect(table.count).toBe(0);
  });

  it('removes the oldest up to a time, and all others without one', () => {
    const table = new CommittedTable();
    addAll(table, 0, 10);
    expect(table.removeOldest(dtx(2).commitTime, Infinity)).toBe(3);
    expect(table.newestRemovedTime).toBe(dtx(2).commitTime);
    expect([2, 3].map((no) => table.has(dtx(no).uuid, dtx(no).hlc))).toEqual([false, true]);
    expect(table.oldestTime).toBe(dtx(3).commitTime);
    expect(table.removeOldest(undefined, Infinity)).toBe(7);
    expect(table.count).toBe(0);
    expect(table.oldestTime).toBeUndefined();
    expect(table.removeOldest(undefined, Infinity)).toBe(0);
  });

  it('removes no more at a time than it was asked to', () => {
    const table = new CommittedTable();
    addAll(table, 0, 10);
    expect(table.removeOldest(undefined, 4)).toBe(4);
    expect([...table.entries()].map(({ hlc }) => hlc)).toEqual([4, 5, 6, 7, 8, 9].map((no) => dtx(no).hlc));
  });

  it('lists its entries in the order in which they were added', () => {
    const table = new CommittedTable();
    addAll(table, 0, 5000);
    table.removeOldest(undefined, 1500);
    addAll(table, 5000, 6000);
    const entries = [...table.entries()];
    expect(entries).toHaveLength(4500);
    entries.forEach((entry, i) => {
      if (JSON.stringify(entry, textOf) !== JSON.stringify(dtx(1500 + i), textOf)) throw new Error(`entry ${i} is ${String(entry.hlc)}`);
    });
  });

  it('takes less than 64 bytes per entry, and gives memory back', () => {
    const table = new CommittedTable({ seed: 7 });
    addAll(table, 0, 100_000);
    expect(table.bytes).toBeLessThan(64 * 100_000);
    expect(table.bytes).toBeGreaterThan(36 * 100_000);
    table.removeOldest(undefined, 99_000);
    expect(table.bytes).toBeLessThan(64 * 1000 + 100_000);
    for (let no = 99_000; no < 100_000; no++) if (!table.has(dtx(no).uuid, dtx(no).hlc)) throw new Error(`${no} is lost`);
    expect(table.has(dtx(0).uuid, dtx(0).hlc)).toBe(false);
    table.removeOldest(undefined, Infinity);
    expect(table.bytes).toBeLessThan(64 * 1024);
  });

  it(`agrees with a list through growing and shrinking (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const table = new CommittedTable({ seed: SEED });
    let first = 0;
    let next = 0;
    for (let phase = 0; phase < 40; phase++) {
      const grow = random.below(2000);
      addAll(table, next, next + grow);
      next += grow;
      const limit = random.below(2500);
      const until = random.below(2) === 0 ? undefined : dtx(first).commitTime + random.below(4000);
      const want = Math.min(next - first, limit, until === undefined ? Infinity : Math.max(0, until - dtx(first).commitTime + 1));
      expect(table.removeOldest(until, limit)).toBe(want);
      first += want;
      expect(table.count).toBe(next - first);
      for (let i = 0; i < 200; i++) {
        const no = random.below(next + 100);
        const { uuid: client, hlc, epoch } = dtx(no);
        if (table.epochOf(client, hlc) !== (no >= first && no < next ? epoch : undefined)) throw new Error(`wrong about ${no} of ${first}..${next}`);
      }
    }
  });
});

describe('a batch of committed transactions', () => {
  it('is one value that reads back as it was', () => {
    const entries = [dtx(1), dtx(2), dtx(3)];
    const bytes = committedBlobEncode(entries);
    expect(Buffer.from(bytes.subarray(0, 4)).toString('hex')).toBe('2502191c');
    expect(committedBlobDecode(bytes).map((entry) => ({ ...entry, uuid: Buffer.from(entry.uuid) }))).toEqual(entries);
  });

  it('is refused when it is empty or too large', () => {
    expect(() => committedBlobEncode([])).toThrow('DER_INVAL');
    expect(() => committedBlobEncode(Array.from({ length: COMMITTED_BLOB_ENTRIES_MAX + 1 }, (_, no) => dtx(no)))).toThrow('DER_INVAL');
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['the magic', (bytes) => (bytes.writeUInt32BE(0x14130a2b), bytes)],
    ['the format', (bytes) => (bytes.writeUInt8(2, 4), bytes)],
    ['the count', (bytes) => (bytes.writeUInt32BE(4, 8), bytes)],
    ['a count of none', (bytes) => (bytes.writeUInt32BE(0, 8), bytes.subarray(0, 12))],
    ['a huge count', (bytes) => (bytes.writeUInt32BE(0xffff_ffff, 8), bytes)],
    ['an id', (bytes) => bytes.fill(0, 12 + 36 + 16, 12 + 36 + 24)],
    ['an epoch', (bytes) => bytes.fill(0, 12 + 36 + 24, 12 + 36 + 32)],
    ['the length', (bytes) => bytes.subarray(0, bytes.length - 1)],
    ['everything', () => Buffer.alloc(3)],
  ])('is reported as DER_IO when %s is damaged', (_what, damage) => {
    const bytes = damage(Buffer.from(committedBlobEncode([dtx(1), dtx(2), dtx(3)])));
    expect(() => committedBlobDecode(bytes)).toThrow('DER_IO');
  });
});

describe('a transaction id', () => {
  it('reads back from its text', () => {
    const id = { uuid: uuidFromBytes(uuid(9)), hlc: 0x8123_4567_89ab_cdefn };
    expect(dtxIdText(id)).toBe('a5a5a5a5-a5a5-a5a5-a5a5-a5a500000009.8123456789abcdef');
    expect(dtxIdEquals(dtxIdParse(dtxIdText(id)), id)).toBe(true);
    expect(dtxIdEquals(id, { ...id, hlc: 1n })).toBe(false);
    expect(dtxIdEquals(id, { ...id, uuid: uuidFromBytes(uuid(8)) })).toBe(false);
  });

  it.each(['', 'x', 'a5a5a5a5-a5a5-a5a5-a5a5-a5a500000009', 'a5a5a5a5-a5a5-a5a5-a5a5-a5a500000009.', 'a5a5a5a5-a5a5-a5a5-a5a5-a5a500000009.12345678901234567', 'a5a5a5a5-a5a5-a5a5-a5a5-a5a500000009:1'])(
    'is not "%s"',
    (text) => {
      expect(() => dtxIdParse(text)).toThrow('DER_INVAL');
    },
  );

  it('is an error of this system, not of the runtime', () => {
    try {
      dtxIdParse('nothing');
    } catch (error) {
      expect(isDaosError(error, 'INVAL')).toBe(true);
      return;
    }
    throw new Error('it was accepted');
  });
});

function textOf(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
