import fc from 'fast-check';
import { HostList, HostListError } from '../src/index.js';

describe('a host list', () => {
  it.each([
    ['node2-1,node1-2,node1-[45,47],node3,node1-3', 'node2-1,node1-[2,45,47],node3,node1-3', 'node3,node1-[2-3,45,47],node2-1'],
    ['10.5.1.[2-32]:10001,10.5.1.42:10001,10.5.1.1:10001', '10.5.1.[2-32,42,1]:10001', '10.5.1.[1-32,42]:10001'],
    ['node[001-9],node[010-20]', 'node[001-020]', 'node[001-020]'],
    ['node[001-9],node[10-20]', 'node[001-009,10-20]', 'node[10-20,001-009]'],
    ['d-server-0001ab,d-server-0002ab', 'd-server-[0001-0002]ab', 'd-server-[0001-0002]ab'],
    ['a b\tc', 'a,b,c', 'a,b,c'],
    ['n1,n1,n1', 'n[1,1,1]', 'n1'],
  ])('reads %s', (input, parsed, uniq) => {
    const list = HostList.parse(input);
    expect(list.toString()).toBe(parsed);
    expect(list.uniq().toString()).toBe(uniq);
  });

  it.each([
    ['[0-1]', /invalid hostname/],
    ['123', /invalid hostname/],
    ['node5:-10001', /invalid hostname/],
    ['node[3-1]', /invalid range/],
    ['node[a]', /invalid range/],
    ['node[1', /invalid range/],
    ['node[]', /invalid range/],
    ['node1]', /invalid range/],
    ['node[0-99999]', /more than 16384/],
  ])('refuses %s', (input, message) => {
    expect(() => HostList.parse(input)).toThrow(HostListError);
    expect(() => HostList.parse(input)).toThrow(message);
  });

  it('counts, subtracts and intersects', () => {
    const list = HostList.parse('n[1-5],x');
    expect(list.count).toBe(6);
    expect(list.without(HostList.parse('n[2-3]')).toString()).toBe('n[1,4-5],x');
    expect(list.intersect(HostList.parse('n[4-9],y')).toString()).toBe('n[4-5]');
    expect(list.has('n3')).toBe(true);
    expect(HostList.parse('').isEmpty).toBe(true);
  });

  it('names the same hosts whatever is merged', () => {
    const name = fc.tuple(fc.constantFrom('n', 'node-', 'a1b'), fc.nat(30), fc.constantFrom('', '.lan', ':10001')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 20 }), (names) => {
        expect(HostList.of(names).names()).toEqual(names);
        expect(new Set(HostList.of(names).uniq().names())).toEqual(new Set(names));
        expect(HostList.parse(HostList.of(names).toString()).names()).toEqual(names);
      }),
    );
  });
});
