import {
  CONTAINER_PROPERTIES,
  containerLayoutByName,
  ContProp,
  contStatusPack,
  contStatusUnpack,
  isLabel,
  POOL_PROPERTIES,
  PoolProp,
  propertiesMerge,
  type PropertyEntry,
} from '../src/index.js';

describe('labels', () => {
  it('are 1 to 127 letters, digits, ":._-" and no UUID', () => {
    const valid = ['mypool', 'MyPool_2', '0123456789abcdef0123456789abcdef', 'Pool_ProjectA:Team42', 'server42.a.org',
      '0ABC', '0xDA0S1234', 'x'.repeat(127), 'a-b-cde', 'g4a2ae9e-6b5c-4f0c-9e6b-0d7bbdf8d9a1'];
    for (const label of valid) expect([label, isLabel(label)]).toEqual([label, true]);
    const invalid = ['', ' ', 'a b', 'a/b', '%', '{a}', 'a?', '"a"', 'a!', 'a@b', '#', '$', '&', '*', '+', '^', '~', '`',
      'a\n', '64a2ae9e-6b5c-4f0c-9e6b-0d7bbdf8d9a1', 'x'.repeat(128), 'pool_label_not_set', 'container_label_not_set'];
    for (const label of invalid) expect([label, isLabel(label)]).toEqual([label, false]);
  });
});

describe('pool properties', () => {
  it('show what the tools show for a new pool', () => {
    const shown = Object.fromEntries(
      POOL_PROPERTIES.defaults().map(({ number, value }) => {
        const property = POOL_PROPERTIES.findNumber(number);
        return [property?.name, property?.format(value)];
      }),
    );
    expect(shown).toMatchObject({
      checkpoint: 'timed',
      checkpoint_freq: '5',
      checkpoint_thresh: '50',
      data_thresh: '4.0 KiB',
      ec_cell_sz: '128 KiB',
      ec_pda: '1',
      global_version: '4',
      perf_domain: 'root',
      reclaim: 'lazy',
      reintegration: 'data_sync',
      rp_pda: '4294967295',
      scrub: 'off',
      scrub_freq: '604800',
      self_heal: 'exclude;rebuild',
      space_rb: '0%',
      svc_ops_enabled: '1',
      svc_ops_entry_age: '300',
      svc_rf: '2',
      upgrade_status: 'not started',
    });
    expect(POOL_PROPERTIES.find('svc_list')?.format(['0', '2'])).toBe('[0 2]');
    expect(POOL_PROPERTIES.find('svc_list')?.toJson(['0', '2'])).toEqual([0, 2]);
  });

  it('are parsed from text within their bounds', () => {
    const parse = (name: string, text: string): unknown => POOL_PROPERTIES.parse(name, text, 'set').value;
    expect(parse('space_rb', '25%')).toBe(25n);
    expect(parse('ec_cell_sz', '64KiB')).toBe(65536n);
    expect(parse('self_heal', 'rebuild;exclude')).toBe(3n);
    expect(parse('reclaim', 'DISABLED')).toBe(0n);
    for (const [name, text] of [
      ['space_rb', '101'], ['ec_cell_sz', '17'], ['ec_cell_sz', '2MiB'], ['rd_fac', '5'], ['rd_fac', '-1'],
      ['ec_pda', '0'], ['checkpoint_freq', '0'], ['checkpoint_thresh', '76'], ['svc_ops_entry_age', '59'],
      ['scrub', 'sometimes'], ['label', 'a b'], ['svc_list', '[0]'], ['nosuch', '1'], ['global_version', '4'],
    ] as const) {
      expect(() => parse(name, text)).toThrow('DER_INVAL');
    }
  });
});

describe('container properties', () => {
  it('offer the names that the tools offer', () => {
    expect(CONTAINER_PROPERTIES.settableNames('create').join(',')).toBe(
      'cksum,cksum_size,compression,dedup,dedup_threshold,ec_cell_sz,ec_pda,encryption,label,perf_domain,rd_fac,rd_lvl,rf,rf_lvl,rp_pda,srv_cksum,status',
    );
    expect(CONTAINER_PROPERTIES.settableNames('set').join(',')).toBe('label,status');
  });

  it('refuse bad values in the tools words', () => {
    const parse = (name: string, text: string) => () => CONTAINER_PROPERTIES.parse(name, text, 'create');
    expect(parse('rd_fac', '9')).toThrow('invalid choice "9" for rd_fac (valid: 0,1,2,3,4)');
    expect(parse('cksum', 'bogus')).toThrow('invalid choice "bogus" for cksum (valid: adler32,crc16,crc32,crc64,off,sha1,sha256,sha512)');
    expect(parse('ec_cell_sz', '17')).toThrow('invalid ec_cell_sz 17');
    expect(parse('status', 'unhealthy')).toThrow('invalid choice "unhealthy" for status (valid: healthy)');
    expect(parse('layout_type', 'POSIX')).toThrow('is not a settable property');
    expect(() => CONTAINER_PROPERTIES.parse('rd_fac', '1', 'set')).toThrow('(valid: label,status)');
    expect(parse('cksum', '__proto__')).toThrow('DER_INVAL');
  });

  it('have checksums on by default, and texts and JSON as the tools print them', () => {
    const shown = (name: string, value: bigint): unknown[] => {
      const property = CONTAINER_PROPERTIES.find(name);
      return [property?.format(value), property?.toJson(value)];
    };
    expect(shown('cksum', CONTAINER_PROPERTIES.find('cksum')?.defaultValue as bigint)).toEqual(['crc32', 'crc32']);
    expect(shown('cksum_size', 32768n)).toEqual(['32 KiB', 32768]);
    expect(shown('rd_fac', 1n)).toEqual(['1', '1']);
    expect(shown('rd_lvl', 2n)).toEqual(['node', 'node']);
    expect(shown('rp_pda', 4294967295n)).toEqual(['4294967295', '4294967295']);
    expect(shown('perf_domain', 255n)).toEqual(['root (255)', 'root (255)']);
    expect(shown('scrub_disabled', 0n)).toEqual(['false', 'false']);
    expect(shown('layout_type', 1n)).toEqual(['POSIX', 'POSIX']);
    expect(shown('alloc_oid', 1n << 60n)).toEqual([String(1n << 60n), String(1n << 60n)]);
    expect(shown('status', contStatusPack({ healthy: false, flags: 0, mapVersion: 7 }))).toEqual(['UNCLEAN', 'UNCLEAN']);
    expect(contStatusUnpack(contStatusPack({ healthy: false, flags: 3, mapVersion: 7 }))).toEqual({ healthy: false, flags: 3, mapVersion: 7 });
    expect(containerLayoutByName('posix')).toBe(1n);
    expect(containerLayoutByName('bogus')).toBeUndefined();
  });

  it('are validated as a list: known, once each, in their domain', () => {
    const ok: PropertyEntry[] = [
      { number: ContProp.LABEL, value: 'c1' },
      { number: ContProp.CSUM, value: 3n },
      { number: ContProp.ACL, value: ['A::OWNER@:rw'] },
    ];
    CONTAINER_PROPERTIES.validate(ok);
    const bad: PropertyEntry[][] = [
      [...ok, { number: ContProp.CSUM, value: 3n }],
      [{ number: 0x2000, value: 1n }],
      [{ number: PoolProp.LABEL, value: 'x' }],
      [{ number: ContProp.CSUM, value: 99n }],
      [{ number: ContProp.CSUM, value: 'crc32' }],
      [{ number: ContProp.LABEL, value: 'a b' }],
      [{ number: ContProp.ACL, value: ['A::OWNER@:zz'] }],
      [{ number: ContProp.EC_CELL_SZ, value: 17n }],
      [{ number: ContProp.DEDUP_THRESHOLD, value: 1n }],
    ];
    for (const entries of bad) expect(() => CONTAINER_PROPERTIES.validate(entries)).toThrow('DER_INVAL');
  });

  it('are merged so that the later list wins', () => {
    const a = [{ number: 1, value: 1n }, { number: 2, value: 2n }];
    expect(propertiesMerge(a, [])).toEqual(a);
    expect(propertiesMerge(a, [{ number: 2, value: 5n }, { number: 3, value: 3n }])).toEqual([
      { number: 1, value: 1n },
      { number: 2, value: 5n },
      { number: 3, value: 3n },
    ]);
  });
});
