import { KeyValueError, formatBanner, formatBytes, formatEntity, formatTable, indentText, parseKeyValues, parseKeys, parseSize } from '../src/index.js';

describe('a table', () => {
  it('pads every cell, the last too', () => {
    expect(formatTable(['Rank', 'State'], [{ Rank: '[0-1]', State: 'Joined' }])).toBe('Rank  State  \n----  -----  \n[0-1] Joined \n');
  });

  it('shows None for a missing cell, ignores extra keys, and is empty without titles', () => {
    expect(formatTable(['A'], [{ B: 'x' }])).toBe('A    \n-    \nNone \n');
    expect(formatTable(['A'], [])).toBe('A \n- \n');
    expect(formatTable([], [{ A: '1' }])).toBe('');
  });
});

describe('an entity', () => {
  it('aligns values below its title', () => {
    expect(formatEntity('Pool', [['UUID', '1'], ['Service Leader', '0']])).toBe('Pool\n----\n  UUID          : 1\n  Service Leader: 0\n');
    expect(formatEntity('', [['A', 'b']])).toBe('  A: b\n');
  });
});

it('indents lines that are not empty', () => {
  expect(indentText('a\n\nb\n')).toBe('  a\n\n  b\n');
  expect(formatBanner('host')).toBe('----\nhost\n----\n');
});

describe('sizes', () => {
  it('are read with decimal and binary units', () => {
    expect(parseSize('512M')).toBe(512_000_000n);
    expect(parseSize('1.5 TiB')).toBe(1_649_267_441_664n);
    expect(parseSize('bogus')).toBeUndefined();
    expect(parseSize('-1')).toBeUndefined();
  });

  it('are printed as the tools print them', () => {
    expect([0n, 1000n, 2_000_003_072n, 512_000_000n, 43_000_000n].map((bytes) => formatBytes(bytes))).toEqual(['0 B', '1.0 kB', '2.0 GB', '512 MB', '43 MB']);
  });
});

describe('a key-value list', () => {
  it('keeps quotes and what they protect', () => {
    expect([...parseKeyValues('a:1,b:"x,y:z",c:p\\,q')]).toEqual([
      ['a', '1'],
      ['b', '"x,y:z"'],
      ['c', 'p\\,q'],
    ]);
    expect(parseKeyValues('self_heal:exclude;rebuild').get('self_heal')).toBe('exclude;rebuild');
  });

  it.each([
    ['k', 'invalid property "k" (must be key:val)'],
    ['a:1,', 'must be key:val'],
    [':1', 'key must not be empty'],
    ['a:', 'value must not be empty'],
    ['a:1,a:2', 'more than once'],
    [`${'k'.repeat(512)}:1`, 'key too long'],
  ])('refuses %s', (text, message) => {
    expect(() => parseKeyValues(text)).toThrow(KeyValueError);
    expect(() => parseKeyValues(text)).toThrow(message);
  });

  it('reads keys alone', () => {
    expect(parseKeys('a,b')).toEqual(['a', 'b']);
    expect(() => parseKeys('a,,b')).toThrow('key must not be empty');
  });
});
