import fc from 'fast-check';
import { RankSet, parseMemberStates } from '../src/index.js';

describe('a rank set', () => {
  it('prints sorted ranges', () => {
    expect(RankSet.parse('[3,0-1,7,2,2]').toString()).toBe('0-3,7');
    expect(RankSet.parse('5').toRangedString()).toBe('5');
    expect(RankSet.parse('0,1').toRangedString()).toBe('[0-1]');
    expect(RankSet.parse('').size).toBe(0);
  });

  it.each([
    ['a', 'creating numeric set from "[a]": unexpected alphabetic character(s)'],
    ['1, 2', 'creating numeric set from "[1, 2]": unexpected whitespace character(s)'],
    ['3-1', 'creating numeric set from "[3-1]": invalid range "3-1"'],
    ['1,,2', 'creating numeric set from "[1,,2]": invalid range ""'],
  ])('refuses %s', (text, message) => {
    expect(() => RankSet.parse(text)).toThrow(message);
  });

  it('reads what it prints', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 50 }), (ranks) => {
        expect([...RankSet.parse(new RankSet(ranks).toString())]).toEqual([...new Set(ranks)].sort((a, b) => a - b));
      }),
    );
  });
});

describe('member states', () => {
  it('are read in any case and turned to bits', () => {
    expect(parseMemberStates('joined, Stopped')).toEqual({ mask: 0x28 });
    expect(parseMemberStates('joined,bogus')).toEqual({ invalid: 'bogus' });
    expect(parseMemberStates('unknown')).toEqual({ invalid: 'unknown' });
  });
});
