import { Checksummer, ChecksumType, IodType, keyChecksum, type ChecksumSkips, type Iod } from '../src/index.js';
import { pattern } from './fixture.js';

const KEY = Buffer.from('a key');
const OTHER = Buffer.from('b key');
const single: Iod = { akey: KEY, type: IodType.SINGLE, size: 100, recxs: [] };
const array: Iod = { akey: KEY, type: IodType.ARRAY, size: 10, recxs: [{ idx: 3n, nr: 10n }] };
const of = (skips?: ChecksumSkips) => new Checksummer(ChecksumType.SHA1, 32, skips);
const damaged = (value: Uint8Array) => Buffer.from(value).fill(0xff, 50, 51);

describe('a checksummer', () => {
  it('wants a type that is enabled and a chunk', () => {
    for (const type of [ChecksumType.OFF, 8]) expect(() => new Checksummer(type, 32)).toThrow('DER_INVAL');
    for (const chunk of [0, -1, NaN]) expect(() => new Checksummer(ChecksumType.CRC32, chunk)).toThrow('DER_INVAL');
  });

  it('gives a descriptor the checksums of its akey and of its value', () => {
    const value = pattern(100);
    const found = of().descriptor(array, value);
    expect(found.akey).toEqual(keyChecksum(ChecksumType.SHA1, KEY));
    expect(found.data).toMatchObject({ type: ChecksumType.SHA1, chunkBytes: 32, length: 20 });
    expect(found.data?.bytes.length).toBe(4 * 20);
    expect(of().descriptor({ ...array, size: 0 }, value).data).toBeUndefined();
  });

  it.each([['single value', single], ['array', array]])('takes a %s that is what it was and refuses one that is not with DER_CSUM', (_name, iod) => {
    const checksummer = of();
    const value = pattern(100);
    const sums = checksummer.value(iod, value);
    if (!sums) throw new Error('no checksums');
    checksummer.verifyValue(iod, value, sums);
    checksummer.verifyValue(iod, [value.subarray(0, 33), value.subarray(33)], sums);
    expect(() => { checksummer.verifyValue(iod, damaged(value), sums, 'value 7'); }).toThrow(/DER_CSUM.*value 7/);
    expect(() => { new Checksummer(ChecksumType.CRC32, 32).verifyValue(iod, value, sums); }).toThrow('DER_CSUM');
    expect(() => { new Checksummer(ChecksumType.SHA1, 64).verifyValue(iod, value, sums); }).toThrow('DER_CSUM');
  });

  it('takes a key that is what it was and refuses one that is not with DER_CSUM', () => {
    const checksummer = of();
    const sum = checksummer.key(KEY);
    checksummer.verifyKey(KEY, sum, 'dkey');
    checksummer.verifyKey(KEY, undefined, 'dkey');
    expect(() => { checksummer.verifyKey(OTHER, sum, 'dkey'); }).toThrow(/DER_CSUM.*dkey/);
    expect(() => { checksummer.verifyKey(KEY, sum?.subarray(1), 'akey'); }).toThrow(/DER_CSUM.*akey/);
    expect(() => { checksummer.verifyKey(KEY, Buffer.concat([sum ?? KEY, KEY]), 'akey'); }).toThrow('DER_CSUM');
  });

  it('leaves out what it is told to skip, and nothing else', () => {
    const value = pattern(100);
    const sums = of().value(single, value);
    if (!sums) throw new Error('no checksums');
    const sum = of().key(OTHER);
    const outcome = (skips: ChecksumSkips) => {
      const checksummer = of(skips);
      const refuses = (verify: () => void) => { try { verify(); return false; } catch { return true; } };
      return {
        key: checksummer.key(KEY) !== undefined,
        akey: checksummer.descriptor(single, value).akey !== undefined,
        data: checksummer.descriptor(single, value).data !== undefined,
        refusesKey: refuses(() => { checksummer.verifyKey(KEY, sum, 'dkey'); }),
        refusesData: refuses(() => { checksummer.verifyValue(single, damaged(value), sums); }),
      };
    };
    const all = { key: true, akey: true, data: true, refusesKey: true, refusesData: true };
    expect(outcome({})).toEqual(all);
    expect(outcome({ keyCompute: true })).toEqual({ ...all, key: false, akey: false });
    expect(outcome({ keyVerify: true })).toEqual({ ...all, refusesKey: false });
    expect(outcome({ dataVerify: true })).toEqual({ ...all, refusesData: false });
  });
});
