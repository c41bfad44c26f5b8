import { EPOCH_MAX, uuidGenerate } from '@daos/common';

import { DtxFlag, type DtxHandle, type VosContainer } from '../../src/index.js';
import { TestPool, bytes } from '../fixture.js';
import { A, D, TxObject, begin, idOf } from './dtx_fixture.js';

let test: TestPool;
let container: VosContainer;
let object: TxObject;

beforeAll(async () => {
  test = await TestPool.create();
});
beforeEach(async () => {
  container = await test.newContainer();
  object = new TxObject(container);
});
afterAll(() => test.destroy());

/** The container as it is after a restart. */
async function restart(how: 'reopen' | 'crash'): Promise<void> {
  const { uuid } = container;
  await test.pool.flush();
  await (how === 'crash' ? test.crash() : test.reopen());
  container = test.pool.containerOpen(uuid);
  object = new TxObject(container);
}

describe('a transaction (28.12)', () => {
  it('shows what it has written when it is committed, and hides what it has punched only then (87)', async () => {
    for (const kind of ['single', 'extent'] as const) {
      object = new TxObject(await test.newContainer());
      const write = (epoch: bigint, text: string, handle?: DtxHandle): Promise<void> =>
        kind === 'single' ? object.put(epoch, text, handle) : object.extent(epoch, 0, text, handle);
      const read = (): Promise<string> => (kind === 'single' ? object.get(EPOCH_MAX) : object.getExtent(EPOCH_MAX, 0, 5));
      const nothing = kind === 'single' ? '' : '.....';
      const update = begin(10n);
      await write(10n, 'first', update);
      expect(await read()).toBe(nothing);
      expect(await object.container.dtxCommit([idOf(update)])).toBe(1);
      expect(await read()).toBe('first');
      const punch = begin(20n);
      await object.punch(20n, 'akey', punch);
      expect(await read()).toBe('first');
      expect(await object.container.dtxCommit([idOf(punch)])).toBe(1);
      expect(await read()).toBe(nothing);
      await write(25n, 'again');
      const whole = begin(30n);
      await object.punch(30n, 'object', whole);
      expect(await read()).toBe('again');
      expect(whole.mustCommitNow).toBe(true);
      await object.container.dtxCommit([idOf(whole)]);
      expect(await read()).toBe(nothing);
    }
  });

  it('is aborted only by its own epoch and no older map version; then the old data are there (88)', async () => {
    await object.put(5n, 'old');
    let epoch = 0n;
    for (const modify of [
      (handle: DtxHandle) => object.put(handle.epoch, 'new', handle),
      (handle: DtxHandle) => object.punch(handle.epoch, 'akey', handle),
      (handle: DtxHandle) => object.punch(handle.epoch, 'object', handle),
    ]) {
      epoch += 10n;
      const handle = begin(epoch, { version: 4 });
      await modify(handle);
      await expect(container.dtxAbort(idOf(handle), epoch - 1n)).rejects.toThrow('DER_NONEXIST');
      await expect(container.dtxAbort(idOf(handle), epoch, 3)).rejects.toThrow('DER_NONEXIST');
      await container.dtxAbort(idOf(handle), epoch, 4);
      expect(await object.get(EPOCH_MAX)).toBe('old');
    }
  });

  it('bears being committed or aborted twice, and stays what it was first (89)', async () => {
    await object.put(5n, 'old');
    const committed = begin(10n);
    await object.put(10n, 'new', committed);
    expect(await container.dtxCommit([idOf(committed)])).toBe(1);
    expect(await container.dtxCommit([idOf(committed)])).toBe(0);
    await expect(container.dtxAbort(idOf(committed), 10n)).rejects.toThrow('DER_NO_PERM');
    expect(await object.get(EPOCH_MAX)).toBe('new');
    const aborted = begin(20n);
    await object.put(20n, 'newer', aborted);
    await container.dtxAbort(idOf(aborted), 20n);
    await expect(container.dtxAbort(idOf(aborted), 20n)).rejects.toThrow('DER_NONEXIST');
    expect(await container.dtxCommit([idOf(aborted)])).toBe(0);
    expect(await object.get(EPOCH_MAX)).toBe('new');
  });

  it('led elsewhere holds readers up while it is prepared; led here they see it once it is committable (90)', async () => {
    const other = begin(10n, { isLeader: false });
    await object.put(10n, 'theirs', other);
    expect(() => object.container.fetch({ oid: object.oid, flavours: object.flavours, epoch: 20n, flags: 0, dkey: D, iods: [{ akey: A, type: 1, size: 0, recxs: [] }] })).toThrow('DER_INPROGRESS');
    await container.dtxCommit([idOf(other)]);
    const own = begin(30n);
    await object.put(30n, 'ours', own);
    expect(await object.get(EPOCH_MAX)).toBe('theirs');
    container.dtxMarkCommittable(idOf(own));
    expect(await object.get(EPOCH_MAX)).toBe('ours');
    expect(container.dtxCheck(idOf(own)).state).toBe('committable');
  });

  it('names to a reader in a transaction whom it has to wait for, and takes the answer (90)', async () => {
    const other = begin(10n, { isLeader: false });
    await object.put(10n, 'theirs', other);
    const reader = begin(20n, { modificationCount: 0, isLeader: false });
    await expect(async () => object.get(20n, reader)).rejects.toThrow('DER_INPROGRESS');
    expect(reader.waitFor).toEqual([idOf(other)]);
    const again = begin(20n, { modificationCount: 0, isLeader: false, refreshed: [{ id: idOf(other), state: 'committed' }] });
    expect(await object.get(20n, again)).toBe('theirs');
    const aborted = begin(20n, { modificationCount: 0, isLeader: false, refreshed: [{ id: idOf(other), state: 'aborted' }] });
    expect(await object.get(20n, aborted)).toBe('');
  });

  it('brings exactly the keys that are committed into listings (91)', async () => {
    const handles = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const handle = begin(BigInt(10 + i));
        await object.put(handle.epoch, 'value', handle, { d: bytes(`key ${i}`) });
        return handle;
      }),
    );
    expect(object.dkeys(EPOCH_MAX)).toEqual([]);
    expect(await container.dtxCommit(handles.slice(2, 6).map(idOf))).toBe(4);
    expect(object.dkeys(EPOCH_MAX).sort()).toEqual(['key 2', 'key 3', 'key 4', 'key 5']);
    expect(await container.dtxCommit(handles.map(idOf))).toBe(6);
    expect(object.dkeys(EPOCH_MAX)).toHaveLength(10);
  });

  it('is remembered as committed until that is aggregated; its data stay (92)', async () => {
    const handles: DtxHandle[] = [];
    for (let i = 0; i < 10; i++) {
      const handle = begin(BigInt(10 + i));
      await object.put(handle.epoch, `value ${i}`, handle);
      handles.push(handle);
    }
    await container.dtxCommit(handles.map(idOf));
    expect(container.dtxCheck(idOf(handles[3] as DtxHandle))).toMatchObject({ state: 'committed', epoch: 13n });
    expect(container.query().dtxCommitted).toBe(10);
    while (await container.dtxAggregate());
    expect(container.query().dtxCommitted).toBe(0);
    expect(() => container.dtxCheck(idOf(handles[3] as DtxHandle))).toThrow('DER_NONEXIST');
    expect(await object.get(EPOCH_MAX)).toBe('value 9');
  });
});

describe('transactions across restarts', () => {
  it.each(['reopen', 'crash'] as const)('prepared ones are still open after a %s, and can be decided', async (how) => {
    await object.put(5n, 'old');
    const first = begin(10n);
    await object.put(10n, 'committed later', first);
    const second = begin(20n);
    await object.put(20n, 'aborted later', second);
    await object.extent(20n, 3, 'xyz', begin(20n), { a: bytes('array') });
    await restart(how);
    expect(await object.get(EPOCH_MAX)).toBe('old');
    expect(container.dtxCheck(idOf(first))).toMatchObject({ state: 'prepared', epoch: 10n });
    expect(await container.dtxCommit([idOf(first)])).toBe(1);
    await container.dtxAbort(idOf(second), 20n);
    expect(await object.get(EPOCH_MAX)).toBe('committed later');
    await restart(how);
    expect(await object.get(EPOCH_MAX)).toBe('committed later');
    while (!container.dtxReindexCommitted());
    expect(container.dtxCheck(idOf(first)).state).toBe('committed');
    expect(() => container.dtxCheck(idOf(second))).toThrow('DER_NONEXIST');
  });

  it('one that was not prepared is taken back', async () => {
    await object.put(5n, 'old');
    const half = begin(10n, { modificationCount: 2 });
    await object.put(10n, 'half', half);
    await restart('crash');
    expect(container.query().dtxActive).toBe(0);
    expect(await object.get(EPOCH_MAX)).toBe('old');
    await object.put(10n, 'new');
    expect(await object.get(EPOCH_MAX)).toBe('new');
  });

  it('does not know what was committed before the committed ones are read back', async () => {
    const handle = begin(10n);
    await object.put(10n, 'value', handle);
    await container.dtxCommit([idOf(handle)]);
    await restart('reopen');
    const unknown = { uuid: uuidGenerate(), hlc: 3n };
    expect(() => container.dtxCheck(unknown)).toThrow('DER_INPROGRESS');
    while (!container.dtxReindexCommitted());
    expect(() => container.dtxCheck(unknown)).toThrow('DER_NONEXIST');
  });
});

describe('the life of a transaction', () => {
  it('alone on its target needs nobody to commit it', async () => {
    const handle = begin(10n, { isSolo: true });
    await object.put(10n, 'value', handle);
    expect(await object.get(EPOCH_MAX)).toBe('value');
    expect(container.query()).toMatchObject({ dtxActive: 0, dtxCommitted: 1 });
    const several = begin(20n, { isSolo: true, modificationCount: 2 });
    await object.put(20n, 'more', several);
    expect(await object.get(EPOCH_MAX)).toBe('value');
    await object.put(20n, 'another', several, { a: bytes('b') });
    expect(await object.get(EPOCH_MAX)).toBe('more');
    expect(container.query()).toMatchObject({ dtxActive: 0, dtxCommitted: 2 });
  });

  it('orders its modifications by their number (64)', async () => {
    const first = begin(10n, { modificationCount: 2 });
    await object.put(10n, 'gone', first);
    await object.punch(10n, 'akey', first);
    await container.dtxCommit([idOf(first)]);
    expect(await object.get(EPOCH_MAX)).toBe('');
    object = new TxObject(await test.newContainer());
    const second = begin(20n, { modificationCount: 3 });
    await object.extent(20n, 0, 'abcde', second);
    await object.punch(20n, 'akey', second);
    await object.extent(20n, 5, 'fghijklmnop', second);
    await object.container.dtxCommit([idOf(second)]);
    expect(await object.getExtent(EPOCH_MAX, 0, 16)).toBe('.....fghijklmnop');
  });

  it('takes all of it back when one of its modifications fails', async () => {
    await object.put(5n, 'old');
    const handle = begin(10n, { modificationCount: 3 });
    await object.put(10n, 'new', handle);
    await object.punch(10n, 'dkey', handle, { d: bytes('other') });
    await expect(object.put(10n, 'value', handle, { d: bytes('missing'), flags: 1 << 2 })).rejects.toThrow('DER_NONEXIST');
    expect(container.query().dtxActive).toBe(0);
    expect(await object.get(EPOCH_MAX)).toBe('old');
    await object.put(12n, 'newer');
    expect(await object.get(EPOCH_MAX)).toBe('newer');
  });

  it('is refused an id that is in use', async () => {
    const handle = begin(10n);
    await object.put(10n, 'value', handle);
    const id = idOf(handle);
    await expect(object.put(11n, 'value', begin(11n, { id }), { a: bytes('b') })).rejects.toThrow('DER_TX_ID_REUSED');
    await expect(object.put(9n, 'value', begin(9n, { id }), { a: bytes('b') })).rejects.toThrow('DER_INPROGRESS');
    await expect(object.put(10n, 'value', begin(10n, { id }), { a: bytes('b') })).rejects.toThrow('DER_MISC');
    expect(container.dtxCheck(id)).toMatchObject({ state: 'prepared' });
    expect(() => container.dtxCheck(id, 11n)).toThrow('DER_MISMATCH');
    expect(() => container.dtxCheck(id, 9n)).toThrow('DER_TX_RESTART');
  });

  it('marked as orphan or corrupted is not trusted, and nothing else can be marked', async () => {
    await object.put(5n, 'old');
    await object.put(5n, 'old', undefined, { d: bytes('other') });
    const orphan = begin(10n);
    await object.put(10n, 'value', orphan);
    await expect(container.dtxSetFlags(idOf(orphan), DtxFlag.CORRUPTED | DtxFlag.ORPHAN)).rejects.toThrow('DER_INVAL');
    await container.dtxSetFlags(idOf(orphan), DtxFlag.ORPHAN);
    await expect(async () => object.get(20n)).rejects.toThrow('DER_TX_UNCERTAIN');
    expect(() => container.dtxCheck(idOf(orphan))).toThrow('DER_TX_UNCERTAIN');
    const corrupt = begin(11n);
    await object.put(11n, 'value', corrupt, { d: bytes('other') });
    await container.dtxSetFlags(idOf(corrupt), DtxFlag.CORRUPTED);
    await expect(async () => object.get(20n, undefined, { d: bytes('other') })).rejects.toThrow('DER_DATA_LOSS');
    const done = begin(12n);
    await object.put(12n, 'value', done, { d: bytes('third') });
    await container.dtxCommit([idOf(done)]);
    await expect(container.dtxSetFlags(idOf(done), DtxFlag.ORPHAN)).rejects.toThrow('DER_NO_PERM');
  });

  it('committed with its entry kept is seen, and forgotten with the second commit', async () => {
    const membership = { targetCount: 3, groupCount: 1, flags: 2, bytes: bytes('ranks') };
    const handle = begin(10n, { membership });
    await object.put(10n, 'value', handle);
    expect(container.dtxMembership(idOf(handle))).toEqual(membership);
    expect(await container.dtxCommit([idOf(handle)], true)).toBe(1);
    expect(await object.get(EPOCH_MAX)).toBe('value');
    expect(container.dtxCheck(idOf(handle)).state).toBe('committed');
    await expect(container.dtxAbort(idOf(handle))).rejects.toThrow('DER_NO_PERM');
    expect(container.query().dtxActive).toBe(1);
    await container.dtxCommit([idOf(handle)]);
    expect(container.query().dtxActive).toBe(0);
    expect(container.dtxMembership(idOf(handle))).toBeUndefined();
  });

  it('without an id groups modifications that appear together, or not at all', async () => {
    const kept = container.dtxLocalBegin(10n);
    await object.put(10n, 'one', kept);
    await object.put(10n, 'two', kept, { a: bytes('b') });
    expect(await object.get(EPOCH_MAX)).toBe('');
    await container.dtxLocalEnd(kept, true);
    expect(await object.get(EPOCH_MAX)).toBe('one');
    expect(await object.get(EPOCH_MAX, undefined, { a: bytes('b') })).toBe('two');
    const dropped = container.dtxLocalBegin(20n);
    await object.punch(20n, 'dkey', dropped);
    await object.put(20n, 'three', dropped, { d: bytes('other') });
    await container.dtxLocalEnd(dropped, false);
    expect(await object.get(EPOCH_MAX)).toBe('one');
    expect(object.dkeys(EPOCH_MAX)).toEqual(['dkey']);
    expect(container.query().dtxActive).toBe(0);
    await expect(object.put(30n, 'x'.repeat(5000), container.dtxLocalBegin(30n))).rejects.toThrow('DER_NOTSUPPORTED');
  });

  it('comes too late for an object that was synchronized', async () => {
    await object.put(10n, 'value');
    await container.dtxMarkSync(object.oid, 20n);
    await expect(object.put(15n, 'late', begin(15n))).rejects.toThrow('DER_TX_RESTART');
    await object.put(21n, 'later', begin(21n, { isSolo: true }));
    expect(await object.get(EPOCH_MAX)).toBe('later');
    await restart('reopen');
    await expect(object.put(19n, 'late', begin(19n))).rejects.toThrow('DER_TX_RESTART');
  });
});
