import { uuidGenerate } from '@daos/common';

import { ResendTable } from '../src/ds/resend_table.js';

describe('table of executed modifications', () => {
  const client = uuidGenerate();

  it('knows a modification while and after it is executed, and forgets a refused one', () => {
    const table = new ResendTable(0n);
    expect(table.lookup(client, 5n)).toBe('unknown');
    const entry = table.begin(client, 5n);
    expect(table.lookup(client, 5n)).toBe('executing');
    entry.finish(true);
    expect(table.lookup(client, 5n)).toBe('done');
    table.begin(client, 6n).finish(false);
    expect(table.lookup(client, 6n)).toBe('unknown');
  });

  it('keeps clients apart', () => {
    const table = new ResendTable(0n);
    table.begin(client, 5n).finish(true);
    expect(table.lookup(uuidGenerate(), 5n)).toBe('unknown');
    expect(table.lookup(client, 5n)).toBe('done');
  });

  it('remembers the newest 4096 modifications of a client, no more', () => {
    const table = new ResendTable(0n);
    for (let i = 1n; i <= 5000n; i++) table.begin(client, i).finish(true);
    expect(table.lookup(client, 5000n)).toBe('done');
    expect(table.lookup(client, 905n)).toBe('done');
    expect(table.lookup(client, 904n)).toBe('unknown');
  });

  it('does not let a late end touch an entry that was overwritten', () => {
    const table = new ResendTable(0n);
    const late = table.begin(client, 1n);
    for (let i = 2n; i <= 4097n; i++) table.begin(client, i);
    late.finish(true);
    expect(table.lookup(client, 1n)).toBe('unknown');
    expect(table.lookup(client, 4097n)).toBe('executing');
  });
});
