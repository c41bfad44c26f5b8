import { Cond, DaosError, IodType, ObjectType, objectClassByName, objectIdEncode, type Iod, type Recx } from '@daos/common';

import {
  dcObjFetch, dcObjKeyToAnchor, dcObjListAkeys, dcObjListAll, dcObjListDkeys, dcObjListRecxs, dcObjOpen, dcObjPunch,
  dcObjPunchAkeys, dcObjPunchDkey, dcObjQueryKey, dcObjUpdate, type DcObject,
} from '../src/dc/index.js';
import { ObjFlag } from '../src/rpc.js';
import { FakeSystem } from './fake/fake_system.js';

const CRC32 = { type: 2, chunkBytes: 4, serverVerify: true };
const AKEY = Buffer.from('a');
const DKEY = Buffer.from('dkey');

let lo = 1n;
function newObject(system: FakeSystem, options: { type?: number; groups?: number; className?: string } = {}): DcObject {
  const { type = ObjectType.MULTI_HASHED, groups = 1, className } = options;
  const found = className === undefined ? undefined : objectClassByName(className);
  const redundancy = found?.redundancy ?? 1;
  return dcObjOpen(system.cont, objectIdEncode({ hi: 0n, lo: lo++ }, type, redundancy, groups), { writable: true });
}

const single = (akey: string, value?: Uint8Array, flags = 0): Iod =>
  ({ akey: Buffer.from(akey), type: IodType.SINGLE, size: value?.length ?? 0, recxs: [], flags });
const array = (size: number, ...recxs: [number, number][]): Iod =>
  ({ akey: AKEY, type: IodType.ARRAY, size, recxs: recxs.map(([idx, nr]): Recx => ({ idx: BigInt(idx), nr: BigInt(nr) })) });
const put = (obj: DcObject, dkey: string, akey: string, value: string, flags = 0) =>
  dcObjUpdate(obj, Buffer.from(dkey), [single(akey, Buffer.from(value))], [Buffer.from(value)], { flags });
const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();

async function withSystem(options: Parameters<typeof FakeSystem.start>[0], run: (system: FakeSystem) => Promise<void>): Promise<void> {
  const system = await FakeSystem.start(options);
  try {
    await run(system);
  } finally {
    await system.stop();
  }
}

describe('object I/O over the network', () => {
  it('fetches what was updated: single values of many sizes, with checksums verified at both ends', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      for (const size of [1, 3, 4096, 131_071, 1 << 20]) {
        const value = Buffer.alloc(size, size % 251);
        await dcObjUpdate(obj, DKEY, [single('a', value)], [value]);
        const [found] = await dcObjFetch(obj, DKEY, [single('a')]);
        expect(found?.size).toBe(size);
        expect(Buffer.compare(found?.data ?? Buffer.alloc(0), value)).toBe(0);
      }
    }));

  it('runs the example of the README', () =>
    withSystem({ checksum: CRC32 }, async ({ cont }) => {
      const oid = objectIdEncode({ hi: 0n, lo: lo++ }, ObjectType.MULTI_HASHED, 1, 1);
      const obj = dcObjOpen(cont, oid, { writable: true });
      const value = Buffer.from('hello');
      const iod = { akey: Buffer.from('greeting'), type: IodType.SINGLE, size: value.length, recxs: [] };
      await dcObjUpdate(obj, Buffer.from('dkey'), [iod], [value]);
      const [found] = await dcObjFetch(obj, Buffer.from('dkey'), [{ ...iod, size: 0 }]);
      expect(text(found?.data)).toBe('hello');
    }));

  it('mixes present and absent akeys: absent ones have size 0', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      await put(obj, 'dkey', 'b', 'value');
      const found = await dcObjFetch(obj, DKEY, [single('a'), single('b'), single('c')]);
      expect(found.map(({ size }) => size)).toEqual([0, 5, 0]);
      expect(text(found[1]?.data)).toBe('value');
    }));

  it('leaves holes of an array untouched and reports what is present', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      await dcObjUpdate(obj, DKEY, [array(1, [2, 3], [7, 2])], [Buffer.from('abcde')]);
      const into = Buffer.alloc(10, '.');
      const [found] = await dcObjFetch(obj, DKEY, [array(1, [0, 10])], [into]);
      expect(into.toString()).toBe('..abc..de.');
      expect(found?.present).toEqual([{ idx: 2n, nr: 3n }, { idx: 7n, nr: 2n }]);
    }));

  it('lands a full read directly in the caller\'s buffer', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      const data = Buffer.alloc(300_000, 'xyz');
      await dcObjUpdate(obj, DKEY, [array(1, [100, data.length])], [data]);
      const into = Buffer.alloc(data.length);
      const [found] = await dcObjFetch(obj, DKEY, [array(1, [100, data.length])], [into]);
      expect(found?.data).toBe(into);
      expect(into.equals(data)).toBe(true);
    }));

  it('sends new checksums for chunks that are cut or mixed, stored ones for whole chunks', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      await dcObjUpdate(obj, DKEY, [array(1, [0, 16])], [Buffer.from('0123456789abcdef')]);
      await dcObjUpdate(obj, DKEY, [array(1, [6, 4])], [Buffer.from('WXYZ')]);
      const [found] = await dcObjFetch(obj, DKEY, [array(1, [2, 12], [0, 1])]);
      expect(text(found?.data)).toBe('2345WXYZabcd0');
    }));

  it('answers DER_CSUM when stored bytes changed, and the client tells the target', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      await put(obj, 'dkey', 'a', 'value');
      const [shard] = [...(system.containers[0]?.shards.values() ?? [])];
      const stored = [...(shard?.dkeys.values() ?? [])][0]?.get(AKEY.toString('hex'))?.single;
      if (stored) stored.data[0] = 0;
      system.caller.calls.length = 0;
      await expect(dcObjFetch(obj, DKEY, [single('a')])).rejects.toThrow(/DER_CSUM/);
      expect(system.caller.calls.map(({ flags }) => flags & ObjFlag.CSUM_REPORT)).toEqual([0, ObjFlag.CSUM_REPORT]);
      expect(system.caller.calls[1]?.to).toEqual(system.caller.calls[0]?.to);
    }));

  it('answers DER_CSUM also when the report of it does not arrive', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      await put(obj, 'dkey', 'a', 'value');
      const [shard] = [...(system.containers[0]?.shards.values() ?? [])];
      const stored = [...(shard?.dkeys.values() ?? [])][0]?.get(AKEY.toString('hex'))?.single;
      if (stored) stored.data[0] = 0;
      let sent = 0;
      system.caller.interfere = () => (sent++ === 0 ? 'pass' : new DaosError('NO_HDL', 'injected'));
      await expect(dcObjFetch(obj, DKEY, [single('a')])).rejects.toThrow(/DER_CSUM/);
      expect(sent).toBe(2);
    }));

  it('answers DER_CSUM for a cut chunk whose stored bytes changed', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      await dcObjUpdate(obj, DKEY, [array(1, [0, 8])], [Buffer.from('01234567')]);
      const [shard] = [...(system.containers[0]?.shards.values() ?? [])];
      const extent = [...(shard?.dkeys.values() ?? [])][0]?.get(AKEY.toString('hex'))?.extents[0];
      if (extent) extent.data[0] = 0;
      system.caller.calls.length = 0;
      await expect(dcObjFetch(obj, DKEY, [array(1, [2, 2])])).rejects.toThrow(/DER_CSUM/);
      // the target found it itself and needs no report
      expect(system.caller.calls.length).toBe(1);
      const [intact] = await dcObjFetch(obj, DKEY, [array(1, [4, 4])]);
      expect(text(intact?.data)).toBe('4567');
    }));

  it('notices a key that was changed on its way and sends the update again', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      let left = 1;
      system.caller.tamper = (input) => (left-- > 0 ? { ...input, dkey: Buffer.from('elsewhere') } : input);
      await put(obj, 'dkey', 'a', 'value');
      expect((await dcObjListDkeys(obj)).items.map(text)).toEqual(['dkey']);
      left = 1;
      await expect(dcObjFetch(obj, DKEY, [single('a')])).rejects.toThrow(/DER_CSUM.*dkey/);
    }));

  it('notices a value that was changed on its way when the server verifies, and sends it again', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      let left = 1;
      system.caller.tamper = <Req>(input: Req): Req => {
        const { iods } = input as { iods?: readonly { checksums?: Uint8Array }[] };
        if (left-- <= 0 || !iods) return input;
        return { ...input, iods: iods.map((iod) => ({ ...iod, checksums: Buffer.alloc(iod.checksums?.length ?? 0) })) };
      };
      await put(obj, 'dkey', 'a', 'value');
      expect(system.caller.calls.length).toBe(2);
      const [found] = await dcObjFetch(obj, DKEY, [single('a')]);
      expect(text(found?.data)).toBe('value');
    }));

  it('is refused with DER_CSUM by a server that verifies when it brings no checksums', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      let left = 1;
      system.caller.tamper = (input) => (left-- > 0 ? { ...input, checksumType: 0 } : input);
      await put(obj, 'dkey', 'a', 'value');
      expect(system.caller.calls.length).toBe(2);
      expect(system.containers[0]?.updates).toBe(1);
    }));

  it('asks for sizes without data', () =>
    withSystem({ checksum: CRC32 }, async (system) => {
      const obj = newObject(system);
      await put(obj, 'dkey', 's', 'value');
      await dcObjUpdate(obj, DKEY, [array(4, [1, 2])], [Buffer.alloc(8)]);
      const found = await dcObjFetch(obj, DKEY, [single('s'), array(0, [0, 5])], [], { sizeOnly: true });
      expect(found.map(({ size, data }) => [size, data.length])).toEqual([[5, 0], [4, 0]]);
      expect(found[1]?.present).toEqual([{ idx: 1n, nr: 2n }]);
    }));

  it('refuses a buffer that is too small for the stored records: DER_REC2BIG', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      await dcObjUpdate(obj, DKEY, [array(8, [0, 4])], [Buffer.alloc(32)]);
      await expect(dcObjFetch(obj, DKEY, [array(1, [0, 4])], [Buffer.alloc(4)])).rejects.toThrow(/DER_REC2BIG/);
    }));

  it('checks arguments before anything is sent', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      const integers = newObject(system, { type: ObjectType.DKEY_UINT64 });
      const value = Buffer.from('x');
      const cases: [() => Promise<unknown>, RegExp][] = [
        [() => dcObjUpdate(obj, Buffer.alloc(0), [single('a', value)], [value]), /DER_INVAL.*empty dkey/],
        [() => dcObjUpdate(obj, DKEY, [], []), /DER_INVAL/],
        [() => dcObjUpdate(obj, DKEY, [single('', value)], [value]), /DER_INVAL.*empty akey/],
        [() => dcObjUpdate(obj, DKEY, [array(1, [0, 4], [2, 4])], [Buffer.alloc(8)]), /DER_INVAL.*overlaps/],
        [() => dcObjUpdate(obj, DKEY, [array(1, [4, 4], [0, 4], [6, 1])], [Buffer.alloc(9)]), /DER_INVAL.*overlaps/],
        [() => dcObjUpdate(obj, DKEY, [array(1, [0, 0])], [Buffer.alloc(0)]), /DER_INVAL/],
        [() => dcObjUpdate(obj, DKEY, [{ ...array(1), recxs: [{ idx: 1n << 63n, nr: 1n }] }], [value]), /DER_INVAL/],
        [() => dcObjUpdate(obj, DKEY, [array(1, [0, 4])], [value]), /DER_REC2BIG/],
        [() => dcObjUpdate(obj, DKEY, [single('a', value)], [value], { flags: Cond.DKEY_FETCH }), /DER_INVAL/],
        [() => dcObjUpdate(obj, DKEY, [single('a', value)], [value], { flags: Cond.PER_AKEY | Cond.AKEY_INSERT }), /DER_INVAL/],
        [() => dcObjFetch(obj, DKEY, [single('a')], [], { flags: Cond.DKEY_INSERT }), /DER_INVAL/],
        [() => dcObjFetch(obj, DKEY, [array(1, [0, 9])], [Buffer.alloc(8)]), /DER_REC2BIG/],
        [() => dcObjFetch(integers, Buffer.alloc(7), [single('a')]), /DER_INVAL.*8 bytes/],
        [() => dcObjPunchDkey(integers, Buffer.alloc(9)), /DER_INVAL/],
        [() => dcObjPunchAkeys(obj, DKEY, []), /DER_INVAL/],
      ];
      for (const [run, expected] of cases) await expect(run()).rejects.toThrow(expected);
      expect(system.caller.calls).toEqual([]);
    }));

  it('refuses classes with redundancy by name, and modification through a read-only handle', () =>
    withSystem({}, async (system) => {
      expect(() => newObject(system, { className: 'RP_2G1' })).toThrow(/DER_NOSYS.*RP_2G1/);
      const oid = objectIdEncode({ hi: 0n, lo: 1n }, 0, 1, 1);
      const readOnly = dcObjOpen(system.cont, oid, { writable: false });
      await expect(put(readOnly, 'd', 'a', 'v')).rejects.toThrow(/DER_NO_PERM/);
      expect(() => dcObjOpen(system.cont, objectIdEncode({ hi: 0n, lo: 1n }, 99, 1, 1), { writable: true })).toThrow(/DER_INVAL/);
      readOnly.close();
      await expect(dcObjFetch(readOnly, DKEY, [single('a')])).rejects.toThrow(/DER_NO_HDL/);
    }));

  it('honours conditions per akey', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      const v = Buffer.from('v');
      const both = (a: number, b: number, flags: number) =>
        dcObjUpdate(obj, DKEY, [single('a', v, a), single('b', v, b)], [v, v], { flags });
      await expect(both(Cond.AKEY_INSERT, Cond.AKEY_UPDATE, Cond.DKEY_INSERT | Cond.PER_AKEY)).rejects.toThrow(/DER_NONEXIST/);
      await both(Cond.AKEY_INSERT, Cond.AKEY_INSERT, Cond.DKEY_INSERT | Cond.PER_AKEY);
      await expect(both(Cond.AKEY_INSERT, Cond.AKEY_UPDATE, Cond.DKEY_UPDATE | Cond.PER_AKEY)).rejects.toThrow(/DER_EXIST/);
    }));
});

describe('object enumeration, query, punch', () => {
  it('lists every dkey exactly once over several groups in small pages', () =>
    withSystem({ targets: 2 }, async (system) => {
      const obj = newObject(system, { groups: 2 });
      const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`);
      for (const key of keys) await put(obj, key, 'a', 'v');
      expect(system.containers.every((container) => container.updates > 0)).toBe(true);
      const seen: string[] = [];
      let anchor: Uint8Array | undefined;
      do {
        const page = await dcObjListDkeys(obj, { limit: 7, anchor });
        expect(page.items.length).toBeLessThanOrEqual(7);
        seen.push(...page.items.map(text));
        anchor = page.next;
      } while (anchor);
      expect(seen.sort()).toEqual(keys.sort());
      const from = await dcObjKeyToAnchor(obj, Buffer.from('key-7'), undefined);
      expect(text((await dcObjListDkeys(obj, { anchor: from })).items[0])).toBe('key-7');
    }));

  it('keeps a page of long keys below its byte limit and goes on at the right key', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      const keys = Array.from({ length: 6 }, (_, i) => `${i}`.repeat(400_000));
      for (const key of keys) await put(obj, 'dkey', key, 'v');
      const seen: string[] = [];
      let anchor: Uint8Array | undefined;
      let pages = 0;
      do {
        // The fake's anchors are keys; only the service's own page limit is looked at here.
        const page = await dcObjListAkeys(obj, DKEY, { limit: 100, ...(anchor && { anchor: anchor.subarray(0, 100) }) });
        seen.push(...page.items.map(text));
        anchor = page.next;
        pages++;
      } while (anchor && pages < 10);
      expect(pages).toBeGreaterThan(1);
      expect(seen).toEqual(keys);
    }));

  it('lists extents in both directions', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      await dcObjUpdate(obj, DKEY, [array(1, [0, 2], [5, 1], [9, 3])], [Buffer.alloc(6)]);
      const up = await dcObjListRecxs(obj, DKEY, AKEY, { limit: 2 });
      expect(up.items.map(({ recx }) => recx.idx)).toEqual([0n, 5n]);
      const rest = await dcObjListRecxs(obj, DKEY, AKEY, { limit: 2, anchor: up.next });
      expect(rest.items.map(({ recx }) => recx.idx)).toEqual([9n]);
      expect(rest.next).toBeUndefined();
      const down = await dcObjListRecxs(obj, DKEY, AKEY, { descending: true });
      expect(down.items.map(({ recx }) => recx.idx)).toEqual([9n, 5n, 0n]);
    }));

  it('reduces a dkey query over all groups', () =>
    withSystem({ targets: 2 }, async (system) => {
      const obj = newObject(system, { type: ObjectType.DKEY_UINT64, groups: 2 });
      const MAX_DKEY = 1 | 4 | 16;
      expect(await dcObjQueryKey(obj, MAX_DKEY, { akey: AKEY })).toEqual({ maxEpoch: 0n });
      for (let i = 1; i <= 20; i++) {
        const dkey = Buffer.alloc(8);
        dkey.writeBigUInt64LE(BigInt(i));
        await dcObjUpdate(obj, dkey, [single('a', AKEY)], [AKEY]);
      }
      const largest = await dcObjQueryKey(obj, MAX_DKEY, { akey: AKEY });
      expect(Buffer.from(largest.dkey ?? []).readBigUInt64LE()).toBe(20n);
      const smallest = await dcObjQueryKey(obj, 2 | 4 | 16, { akey: AKEY });
      expect(Buffer.from(smallest.dkey ?? []).readBigUInt64LE()).toBe(1n);
      expect((await dcObjQueryKey(obj, 0)).maxEpoch).toBe(largest.maxEpoch);
    }));

  it('refuses query flags that do not go together: DER_INVAL', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      const integers = newObject(system, { type: ObjectType.MULTI_UINT64 });
      for (const flags of [4, 1, 1 | 2, 4 | 1 | 2]) {
        await expect(dcObjQueryKey(integers, flags, {})).rejects.toThrow(/DER_INVAL/);
      }
      await expect(dcObjQueryKey(integers, 8 | 2, {})).rejects.toThrow(/DER_INVAL/);
      await expect(dcObjQueryKey(obj, 4 | 2, {})).rejects.toThrow(/DER_INVAL/);
    }));

  it('punches akeys, dkeys and whole objects over all groups', () =>
    withSystem({ targets: 2 }, async (system) => {
      const obj = newObject(system, { groups: 2 });
      for (let i = 0; i < 10; i++) await put(obj, `key-${i}`, 'a', 'v');
      await dcObjPunchAkeys(obj, Buffer.from('key-1'), [AKEY]);
      await expect(dcObjPunchDkey(obj, Buffer.from('key-1'), { flags: Cond.PUNCH })).rejects.toThrow(/DER_NONEXIST/);
      await dcObjPunchDkey(obj, Buffer.from('key-2'), { flags: Cond.PUNCH });
      await dcObjPunchDkey(obj, Buffer.from('never there'));
      await dcObjPunch(obj);
      for (let i = 0; i < 10; i++) {
        const [found] = await dcObjFetch(obj, Buffer.from(`key-${i}`), [single('a')]);
        expect(found?.size).toBe(0);
      }
    }));

  it('lists the objects of a container, each once', () =>
    withSystem({ targets: 2 }, async (system) => {
      const wide = newObject(system, { groups: 2 });
      for (let i = 0; i < 10; i++) await put(wide, `key-${i}`, 'a', 'v');
      const narrow = newObject(system);
      await put(narrow, 'd', 'a', 'v');
      const seen = [];
      for await (const oid of dcObjListAll(system.cont)) seen.push(oid.lo);
      expect(seen.sort()).toEqual([wide.oid.lo, narrow.oid.lo].sort());
    }));
});

describe('retries', () => {
  const timedOut = new DaosError('TIMEDOUT', 'injected');

  it('sends an update again after transport errors, with the same id', () =>
    withSystem({}, async (system) => {
      let left = 2;
      system.caller.interfere = () => (left-- > 0 ? new DaosError('HG', 'injected') : 'pass');
      const obj = newObject(system);
      await put(obj, 'dkey', 'a', 'value');
      expect(system.caller.calls.map(({ flags }) => (flags & ObjFlag.RESEND) !== 0)).toEqual([false, true, true]);
      expect(system.refreshes).toBe(2);
    }));

  it('executes an insert once when its reply was lost, and does not answer DER_EXIST to its own insert', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      let lost = false;
      system.caller.interfere = () => (lost ? 'pass' : ((lost = true), { loseReply: timedOut }));
      await put(obj, 'dkey', 'a', 'value', Cond.DKEY_INSERT);
      expect(system.containers[0]?.updates).toBe(1);
      await expect(put(obj, 'dkey', 'a', 'value', Cond.DKEY_INSERT)).rejects.toThrow(/DER_EXIST/);
    }));

  it('waits while the first try is still being executed', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      const memory = system.containers[0]!;
      memory.durable = () => held;
      let first = true;
      system.caller.interfere = () => {
        if (!first) return 'pass';
        first = false;
        return { giveUp: timedOut };
      };
      const update = put(obj, 'dkey', 'a', 'v');
      setTimeout(release, 30);
      await update;
      expect(memory.updates).toBe(1);
      expect(system.caller.calls.length).toBeGreaterThan(2);
    }));

  it('refreshes the pool map when the target has a newer one', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      await put(obj, 'dkey', 'a', 'value');
      system.serverMapVersion = 5;
      await put(obj, 'dkey', 'a', 'other');
      expect(system.map.version).toBe(5);
      expect(obj.mapVersion).toBe(5);
    }));

  it('gives up at the deadline, naming the object, the attempts and the last failure', () =>
    withSystem({}, async (system) => {
      system.caller.interfere = () => new DaosError('UNREACH', 'injected');
      const obj = newObject(system);
      const failing = dcObjFetch(obj, DKEY, [single('a')], [], { timeoutMs: 100 });
      await expect(failing).rejects.toThrow(/DER_UNREACH.*OBJ_FETCH of object .* did not succeed within 0.1 s .*injected/);
    }));

  it('does not retry what will not pass: DER_NO_HDL, DER_NO_PERM', () =>
    withSystem({}, async (system) => {
      system.handleKnown = false;
      const obj = newObject(system);
      await expect(put(obj, 'd', 'a', 'v')).rejects.toThrow(/DER_NO_HDL/);
      expect(system.caller.calls.length).toBe(1);
    }));

  it('ends with DER_CANCELED when the signal fires while it waits for the next attempt', () =>
    withSystem({}, async (system) => {
      system.caller.interfere = () => new DaosError('UNREACH', 'injected');
      const obj = newObject(system);
      const abort = new AbortController();
      setTimeout(() => { abort.abort(); }, 30);
      await expect(dcObjUpdate(obj, DKEY, [single('a', AKEY)], [AKEY], { signal: abort.signal })).rejects.toThrow(/DER_CANCELED/);
    }));

  it('resends an update that was damaged on its way at most ten times, whatever else failed', () =>
    withSystem({}, async (system) => {
      const obj = newObject(system);
      let waits = 0;
      const realTimeout = globalThis.setTimeout;
      globalThis.setTimeout = ((run: () => void) => { waits++; return realTimeout(run, 0); }) as unknown as typeof setTimeout;
      try {
        system.caller.interfere = () => new DaosError('CSUM', 'injected');
        await expect(put(obj, 'd', 'a', 'v')).rejects.toThrow(/DER_CSUM/);
        expect(waits).toBeGreaterThanOrEqual(10);
        expect(system.caller.calls.length).toBe(11);
        let busy = 5;
        system.caller.calls.length = 0;
        system.caller.interfere = () => (busy-- > 0 ? new DaosError('TX_BUSY', 'injected') : new DaosError('CSUM', 'injected'));
        await expect(put(obj, 'd', 'a', 'v')).rejects.toThrow(/DER_CSUM/);
        expect(system.caller.calls.length).toBe(5 + 11);
      } finally {
        globalThis.setTimeout = realTimeout;
      }
    }));
});
