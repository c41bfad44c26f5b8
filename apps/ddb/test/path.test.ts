import { isDaosError, uuidGenerate } from '@daos/common';
import { seededRandom } from '@daos/gurt';

import { keyFormat, keyParse } from '../src/path/key_text.js';
import { treePathFormat, treePathParse, type PathPart } from '../src/path/tree_path.js';
import { SYSTEM_TARGET, vosPathParse } from '../src/path/vos_path.js';
import { splitWords } from '../src/words.js';
import { POOL } from './fake_pool.js';

const SEED = Number(process.env['DDB_SEED'] ?? Math.floor(Math.random() * 1e9));
const CONT = '12345678-1234-1234-1234-123456789012';

describe('a path of indices', () => {
  it.each([0, 1, 2, 3, 4, 5])('of %i parts parses, with a slash at its end or not', (depth) => {
    const path = '/[0]'.repeat(depth);
    for (const text of [path, `${path}/`, path.slice(1)]) {
      expect(treePathParse(text)).toEqual(Array.from({ length: depth }, () => ({ kind: 'index', index: 0 })));
    }
  });

  it('of more parts is refused', () => {
    expect(() => treePathParse('/[0]'.repeat(6))).toThrow(/DER_INVAL.*6 parts/);
  });

  it('mixes with names', () => {
    expect(treePathFormat(treePathParse(`[0]/939000573846355970.0.13.1/[2]/akey{5}/{0-1023}`))).toBe(
      '/[0]/939000573846355970.0.13.1/[2]/akey{5}/{0-1023}',
    );
  });
});

describe('a path of names', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    [`/${CONT}/`, `/${CONT}`],
    [`${CONT.toUpperCase()}`, `/${CONT}`],
    [`/${CONT}/1.2.3.4/`, `/${CONT}/1.2.3.4`],
    [`/${CONT}/1.2.3.4/key/`, `/${CONT}/1.2.3.4/key`],
    [`/${CONT}/1.2.3.4/key{64}/`, `/${CONT}/1.2.3.4/key{64}`],
    [`/${CONT}/1.2.3.4/\\//a`, `/${CONT}/1.2.3.4/\\//a`],
    [`/${CONT}/1.2.3.4/{uint64: 7}/a\\/b/{9-18}`, `/${CONT}/1.2.3.4/{uint64:0x7}/a\\/b/{9-18}`],
    [`/${CONT}/1.2.3.4/\\[0]/a`, `/${CONT}/1.2.3.4/\\[0]/a`],
  ])('"%s" prints as "%s"', (text, printed) => {
    expect(treePathFormat(treePathParse(text))).toBe(printed);
    expect(treePathFormat(treePathParse(printed))).toBe(printed);
  });

  it.each([
    ['12345678', /invalid container/],
    ['/12345678-1234-1234-1234-12345678900', /invalid container/],
    [`/${CONT}/4321.1234.0`, /invalid object/],
    [`/${CONT}/4321.1234.0.`, /invalid object/],
    [`/${CONT}/4321.1234.0./dkey`, /invalid object/],
    [`/${CONT}/4321.1234.0..`, /invalid object/],
    [`/${CONT}/4321.1234.0.0.0.0`, /invalid object/],
    [`/${CONT}/18446744073709551616.0.0.0`, /invalid object/],
    [`/${CONT}/1.1.4294967296.0`, /invalid object/],
    [`/${CONT}/1.1.0.0/{64}`, /invalid key/],
    [`/${CONT}/1.1.0.0/dkey/{uint:3}`, /invalid key/],
    [`/${CONT}/1.1.0.0/dkey/akey/invalid`, /invalid extent/],
    [`/${CONT}/1.1.0.0/dkey/akey/{-1}`, /invalid extent/],
    [`/${CONT}/1.1.0.0/dkey/akey/(0-1)`, /invalid extent/],
    [`/${CONT}/1.1.0.0/dkey/akey/{0-1-2}`, /invalid extent/],
    [`/${CONT}/1.1.0.0/dkey/akey/{0 1}`, /invalid extent/],
    [`/${CONT}/1.1.0.0/dkey/akey/{0->1}`, /invalid extent/],
    [`/${CONT}/1.1.0.0/dkey/akey/{2-1}`, /invalid extent/],
    ['/[99999999999999999999]', /index/],
  ])('"%s" is refused, and the error names the part', (text, message) => {
    expect(() => treePathParse(text)).toThrow(message);
    expect(() => treePathParse(text)).toThrow('DER_INVAL');
  });

  it(`of any names reads back as it was printed (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const key = (): PathPart => {
      const bytes = random.bytes(1 + random.below(12));
      if (random.below(2) === 0) for (let i = 0; i < bytes.length; i++) bytes[i] = (0x20 + random.below(0x60)) * (random.below(9) === 0 ? 0 : 1);
      return { kind: 'key', key: bytes };
    };
    for (let i = 0; i < 500; i++) {
      const lo = BigInt(random.below(1000));
      const parts: PathPart[] = [
        { kind: 'container', uuid: uuidGenerate() },
        { kind: 'object', oid: { oid: { hi: random.bytes(8).readBigUInt64LE(), lo: random.bytes(8).readBigUInt64LE() }, shard: random.below(2 ** 32), layoutVersion: random.below(2 ** 16) } },
        key(),
        key(),
        { kind: 'extent', lo, hi: lo + BigInt(random.below(1000)) },
      ];
      const path = parts.slice(0, random.below(6));
      const back = treePathParse(treePathFormat(path));
      expect(back.map((part) => (part.kind === 'key' ? { kind: 'key', key: Buffer.from(part.key) } : part))).toEqual(path);
    }
  });
});

describe('a key', () => {
  const hex = (text: string): string => Buffer.from(keyParse(text)).toString('hex');
  const text = (plain: string, length = plain.length): string => Buffer.from(plain.padEnd(length, '\0')).toString('hex');

  it.each([
    ['string_key', text('string_key')],
    ['string_key{64}', text('string_key', 64)],
    ['akey{4}', text('akey')],
    ['string_\\{key{64}', text('string_{key', 64)],
    ['string_\\{key', text('string_{key')],
    ['\\{\\{\\{\\{{64}', text('{{{{', 64)],
    ['\\}\\}\\}\\}', text('}}}}')],
    ['string_value\\{24\\}', text('string_value{24}')],
    ['\\[0]', text('[0]')],
    ['back\\\\slash', text('back\\slash')],
    ['größe', Buffer.from('größe').toString('hex')],
    ['{uint8:9}', '09'],
    ['{uint16:17}', '1100'],
    ['{uint32: 33}', '21000000'],
    ['{uint64:99999999}', 'ffe0f50500000000'],
    ['{uint64:0x12345678}', '7856341200000000'],
    ['{bin:0xABABAB}', 'ababab'],
    ['{bin(3): 0xABABAB}', 'ababab'],
  ])('"%s" has the bytes %s', (written, bytes) => {
    expect(hex(written)).toBe(bytes);
  });

  it.each([
    '', '{}', '{', '}', 'string_key{{64}', 'string_key{1{64}', 'string_key{64}}', 'string_key{64', 'string_key}64', '{64}',
    'string_key{a}', 'string_key{5}more', 'string_key{0}', 'string_key{3}', 'string_key{9999}', '{uint:3}', '{uint8:256}', '{uint8:x}',
    '{uint16(2):1}', '{bin:ab}', '{bin:0x}', '{bin:0xabc}', '{bin(2):0xab}', 'end\\',
  ])('"%s" is refused', (written) => {
    expect(() => keyParse(written)).toThrow(/DER_INVAL.*invalid key/);
  });

  it.each([
    ['{bin:0xabcdef1234}', '{bin(5):0xabcdef1234}'],
    ['{uint64:0xABCDEF1234}', '{uint64:0xabcdef1234}'],
    ['{uint32:0x12345678}', '{uint32:0x12345678}'],
    ['{uint16:0x1234}', '{uint16:0x1234}'],
    ['{uint8:0xAF}', '{uint8:0xaf}'],
    ['{uint8:0}', '{uint8:0x0}'],
    ['akey{4}', 'akey'],
    ['a/b\\{\\}\\\\', 'a\\/b\\{\\}\\\\'],
  ])('"%s" prints as "%s"', (written, printed) => {
    expect(keyFormat(keyParse(written))).toBe(printed);
  });

  it('of an object with integer keys prints as a number even when it could be text', () => {
    expect(keyFormat(Buffer.from('AAAAAAAA'), 'uint64')).toBe('{uint64:0x4141414141414141}');
    expect(keyFormat(Buffer.from('AAAAAAAA'))).toBe('AAAAAAAA');
  });
});

describe('the path of a shard', () => {
  it.each([
    [`/${POOL}/vos-0`, '/', 0],
    [`/mnt/daos/${POOL}/vos-0`, '/mnt/daos', 0],
    [`//////mnt////daos/////${POOL}/////vos-0`, '//////mnt////daos', 0],
    [`mnt/daos/${POOL}/vos-42`, 'mnt/daos', 42],
    [`./${POOL}/rdb-pool`, '.', SYSTEM_TARGET],
    [`${POOL}/vos-909`, '.', 909],
  ])('%s is taken apart', (path, dbPath, target) => {
    const parts = vosPathParse(path);
    expect(parts).toEqual({ path, poolUuid: POOL, dbPath, target, fileName: path.slice(path.lastIndexOf('/') + 1) });
    expect(vosPathParse(path, '/my/db').dbPath).toBe('/my/db');
  });

  it.each([
    ['', 'INVAL'],
    ['/mnt/daos', 'INVAL'],
    [`/mnt/daos/${POOL}`, 'INVAL'],
    ['/mnt/daos/vos-0', 'INVAL'],
    [`/mnt/daos/g${POOL.slice(1)}/vos-1`, 'INVAL'],
    [`/mnt/daos/${POOL}/vos-01`, 'INVAL'],
    [`/mnt/daos/${POOL}/vos-`, 'INVAL'],
    [`/mnt/daos/${POOL}/vos-1x`, 'INVAL'],
    [`/${'a'.repeat(255)}/${POOL}/vos-0`, 'EXCEEDS_PATH_LEN'],
    [`/${'a'.repeat(5000)}/${POOL}/vos-0`, 'EXCEEDS_PATH_LEN'],
    [`/mnt/daos/${POOL}/vos-999999999999`, 'EXCEEDS_PATH_LEN'],
    [`/mnt/daos/${POOL}/vos-99999999999`, 'OVERFLOW'],
    [`/mnt/daos/${POOL}/vos-2147483648`, 'OVERFLOW'],
  ] as const)('%s is refused with DER_%s', (path, der) => {
    expect(errorOf(() => vosPathParse(path))).toBe(der);
  });

  it('is refused when the path of the database is too long', () => {
    expect(errorOf(() => vosPathParse(`/mnt/${POOL}/vos-0`, `/${'a'.repeat(255)}`))).toBe('EXCEEDS_PATH_LEN');
    expect(vosPathParse(`/mnt/${POOL}/vos-0`, `/${'a'.repeat(254)}`).target).toBe(0);
  });
});

describe('a command line', () => {
  it.each([
    ['one', ['one']],
    ['  one   two ', ['one', 'two']],
    ["one 'two two two' three", ['one', 'two two two', 'three']],
    ['one "two two" three', ['one', 'two two', 'three']],
    [`ls /[0]/{uint64:' 7'}`, ['ls', '/[0]/{uint64: 7}']],
    ["ls a\\ b\\'c", ['ls', "a\\ b\\'c"]],
    ["''", ['']],
    ['', []],
  ])('%s is %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it.each(["'one", ' "one', 'one "two'])('%s has a quote that does not end', (line) => {
    expect(() => splitWords(line)).toThrow('DER_INVAL');
  });
});

function errorOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return isDaosError(error) ? error.der : String(error);
  }
  return 'no error';
}
