import { CONT_UUID, POOL_UUID, daos, fakeSystem } from './fake_daos.js';
import { timeText } from '../src/container/container_info.js';

describe('daos container create', () => {
  it('tells what it made', async () => {
    expect((await daos(fakeSystem({ containers: [] }), 'container', 'create', 'dp', 'c0')).out).toBe(
      `Successfully created container ${CONT_UUID} type unknown\n  Container UUID : ${CONT_UUID}\n  Container Label: c0\n  Container Type : unknown\n`,
    );
    expect((await daos(fakeSystem({ containers: [] }), 'cont', 'create', 'dp')).out).toBe(
      `Successfully created container ${CONT_UUID} type unknown\n  Container UUID : ${CONT_UUID}\n  Container Type : unknown\n`,
    );
  });

  it('gives it its attributes', async () => {
    const system = fakeSystem({ containers: [] });
    expect((await daos(system, 'container', 'create', 'dp', 'c6', '--attrs', 'a:1,b:2')).out).toMatch(/^Attributes successfully set on container "c6"\nSuccessfully created/);
    expect([...(system.containers[0]?.attrs.keys() ?? [])]).toEqual(['a', 'b']);
  });

  it.each([
    [['dp', 'c1'], 'failed to create container: DER_EXIST(-1004): Entity already exists'],
    [['nosuch', 'c9'], 'failed to connect to pool: DER_NONEXIST(-1005): The specified entity does not exist'],
    [['dp', 'bad label'], 'invalid label "bad label"'],
    [[], 'no pool ID or dfs path supplied'],
    [['dp', 'c5', '--properties', 'label:l'], "can't supply label arg and --properties label:"],
    [['dp', 'c5', '--type', 'BOGUS'], "invalid argument for flag `-t, --type' (expected main.ContTypeFlag): unknown container layout \"BOGUS\""],
    [['dp', 'c5', '--oclass', 'BOGUS'], "invalid argument for flag `-o, --oclass' (expected main.ObjClassFlag): unknown object class \"BOGUS\""],
    [['dp', 'c5', '--chunk-size', 'BOGUS'], "invalid argument for flag `-z, --chunk-size' (expected main.ChunkSizeFlag): invalid chunk-size \"BOGUS\""],
    [['dp', 'c5', '--mode', 'x'], "invalid argument for flag `-M, --mode' (expected main.ConsModeFlag): unknown consistency mode \"x\" (valid: relaxed, balanced)"],
    [
      ['dp', 'c5', '--properties', 'cksum:bogus'],
      "invalid argument for flag `--properties' (expected main.CreatePropertiesFlag): properties: invalid choice \"bogus\" for cksum " +
        '(valid: adler32,crc16,crc32,crc64,off,sha1,sha256,sha512)',
    ],
    [['dp', 'c5', '--properties', 'rd_fac'], 'invalid property "rd_fac" (must be key:val)'],
  ])('refuses %j', async (argv, message) => {
    expect(await daos(fakeSystem(), 'container', 'create', ...argv)).toMatchObject({ code: 1, out: '', err: `ERROR: daos: ${message}\n` });
  });
});

describe('daos container list', () => {
  it('shows labels and UUIDs', async () => {
    const system = fakeSystem();
    system.containers.push({ uuid: '03aa0dd3-87a2-4b30-9ccc-75bbdb899681', label: undefined, type: 'POSIX', attrs: new Map() });
    expect((await daos(system, 'container', 'list', 'dp')).out).toBe(
      `Containers in pool dp:\n  Label UUID\n  ----- ----\n  c1    ${CONT_UUID}\n        03aa0dd3-87a2-4b30-9ccc-75bbdb899681\n`,
    );
    expect((await daos(system, 'pool', 'list-cont', '-v', 'dp')).out).toContain(`c1    ${CONT_UUID} unknown\n`);
    expect(JSON.parse((await daos(system, '-j', 'container', 'list', 'dp')).out)).toMatchObject({ response: [{ uuid: CONT_UUID, label: 'c1' }, { label: '' }] });
  });

  it('says that there are none', async () => {
    expect((await daos(fakeSystem({ containers: [] }), 'pool', 'list-containers', 'dp')).out).toBe('No containers.\n');
    expect(JSON.parse((await daos(fakeSystem({ containers: [] }), '-j', 'pool', 'list-containers', 'dp')).out)).toMatchObject({ response: [] });
  });
});

describe('daos container query', () => {
  const text =
    `  Container UUID              : ${CONT_UUID}\n  Container Label             : c1\n  Container Type              : unknown\n` +
    `  Pool UUID                   : ${POOL_UUID}\n  Container redundancy factor : 0\n  Number of open handles      : 1\n` +
    '  Latest open time            : 2026-11-23 04:00:53.450080256 +0000 UTC (0x2949e0ab4da00000)\n' +
    '  Latest close/modify time    : 2021-01-01 00:00:00 +0000 UTC (0x0)\n  Number of snapshots         : 0\n';

  it('shows what a container is, by label, UUID or path', async () => {
    expect((await daos(fakeSystem(), 'container', 'query', 'dp', 'c1')).out).toBe(text);
    expect((await daos(fakeSystem(), 'container', 'query', 'dp', CONT_UUID)).out).toBe(text);
    expect((await daos(fakeSystem(), 'container', 'query', '--path', 'daos://dp/c1')).out).toBe(text);
  });

  it('prints JSON', async () => {
    expect(JSON.parse((await daos(fakeSystem(), '-j', 'container', 'query', 'dp', 'c1')).out)).toEqual({
      response: {
        pool_uuid: POOL_UUID,
        container_uuid: CONT_UUID,
        container_label: 'c1',
        redundancy_factor: 0,
        num_handles: 1,
        num_snapshots: 0,
        container_type: 'unknown',
        health: 'HEALTHY',
        open_time: '2026-11-23 04:00:53.450080256 +0000 UTC',
        close_modify_time: '2021-01-01 00:00:00 +0000 UTC',
      },
      error: null,
      status: 0,
    });
  });

  it('names what it cannot find', async () => {
    expect((await daos(fakeSystem(), 'container', 'query', 'dp', 'nosuch')).err).toBe(
      'ERROR: daos: failed to open container "nosuch": DER_NONEXIST(-1005): The specified entity does not exist\n',
    );
    expect((await daos(fakeSystem(), 'container', 'query', 'nosuch', 'c1')).err).toBe(
      'ERROR: daos: failed to connect to pool "nosuch": failed to connect to pool: DER_NONEXIST(-1005): The specified entity does not exist\n',
    );
    expect((await daos(fakeSystem(), 'container', 'query', 'dp')).err).toBe('ERROR: daos: no container label or UUID supplied\n');
  });

  it('leaves out zeros at the end of a fraction', () => {
    expect(timeText(0n)).toBe('2021-01-01 00:00:00 +0000 UTC');
  });
});

describe('daos container destroy', () => {
  it('says what it did, or why not', async () => {
    const system = fakeSystem();
    expect((await daos(system, 'container', 'destroy', 'dp', 'c1')).out).toBe('Successfully destroyed container c1\n');
    expect((await daos(system, 'container', 'destroy', 'dp', 'c1')).err).toBe(
      'ERROR: daos: failed to destroy container c1: failed to destroy container "c1": DER_NONEXIST(-1005): The specified entity does not exist\n',
    );
  });

  it('takes a container that is in use only by force', async () => {
    const system = fakeSystem({ containers: [{ uuid: CONT_UUID, label: 'c2', type: 'unknown', attrs: new Map(), busy: true }] });
    expect(JSON.parse((await daos(system, '-j', 'container', 'destroy', 'dp', 'c2')).out)).toEqual({
      response: null,
      error: 'failed to destroy container c2: failed to destroy container "c2": DER_BUSY(-1012): Device or resource busy',
      status: -1012,
    });
    expect((await daos(system, 'container', 'destroy', '-f', 'dp', 'c2')).code).toBe(0);
  });
});

describe('container properties', () => {
  const props = [
    { name: 'label', value: 'c1' },
    { name: 'cksum', value: 2n },
    { name: 'cksum_size', value: 32768n },
    { name: 'rd_fac', value: 0n },
    { name: 'acl', value: ['A::OWNER@:rwdtTaAo', 'A:G:GROUP@:rwtT'] },
    { name: 'ec_pda', value: 1n },
    { name: 'perf_domain', value: 255n },
    { name: 'status', value: 0n },
  ];
  const system = () => fakeSystem({ containers: [{ uuid: CONT_UUID, label: 'c1', type: 'unknown', attrs: new Map(), props }] });

  it('are shown with their descriptions', async () => {
    expect((await daos(system(), 'container', 'get-prop', 'dp', 'c1')).out).toBe(
      'Properties for container c1\n' +
        'Name                                             Value\n' +
        '----                                             -----\n' +
        'Access Control List (acl)                        A::OWNER@:rwdtTaAo, A:G:GROUP@:rwtT\n' +
        'Checksum (cksum)                                 crc32\n' +
        'Checksum Chunk Size (cksum_size)                 32 KiB\n' +
        'Performance domain affinity level of EC (ec_pda) 1\n' +
        'Label (label)                                    c1\n' +
        'Performance domain level (perf_domain)           root (255)\n' +
        'Redundancy Factor (0-4) (rd_fac)                 0\n' +
        'Health (status)                                  HEALTHY\n',
    );
    expect((await daos(system(), 'cont', 'get-prop', 'dp', 'c1', 'label,rf')).out).toBe(
      'Properties for container c1\nName                             Value\n----                             -----\nLabel (label)                    c1\nRedundancy Factor (0-4) (rd_fac) 0\n',
    );
    const { response } = JSON.parse((await daos(system(), '-j', 'container', 'get-prop', 'dp', 'c1')).out) as { response: object[] };
    expect(response).toContainEqual({ value: 32768, name: 'cksum_size', description: 'Checksum Chunk Size' });
    expect(response).toContainEqual({ value: '1', name: 'ec_pda', description: 'Performance domain affinity level of EC' });
    expect(response).toContainEqual({ value: ['A::OWNER@:rwdtTaAo', 'A:G:GROUP@:rwtT'], name: 'acl', description: 'Access Control List' });
  });

  it('are changed where that is allowed', async () => {
    const changing = system();
    expect((await daos(changing, 'container', 'set-prop', 'dp', 'c1', 'label:c1x')).out).toBe('Properties were successfully set\n');
    expect(changing.containers[0]?.label).toBe('c1x');
    expect((await daos(system(), 'container', 'set-prop', 'dp', 'c1', 'rd_fac:1')).err).toBe('ERROR: daos: "rd_fac" is not a settable property (valid: label,status)\n');
    expect((await daos(system(), 'container', 'set-prop', 'dp', 'c1', 'status:bogus')).err).toBe('ERROR: daos: properties: invalid choice "bogus" for status (valid: healthy)\n');
    expect((await daos(system(), 'container', 'set-prop', 'dp', 'c1')).err).toBe('ERROR: daos: property name and value are required\n');
    expect((await daos(system(), 'container', 'get-prop', 'dp', 'c1', 'bogus')).err).toMatch(
      /^ERROR: daos: failed to fetch properties for container c1: properties: unknown property "bogus" \(valid: acl,alloc_oid,cksum,.*,srv_cksum,status\)\n$/,
    );
  });
});

describe('container attributes', () => {
  it('are set, listed, shown and removed, also by path', async () => {
    const system = fakeSystem();
    expect((await daos(system, 'container', 'set-attr', 'dp', 'c1', 'k1:v1')).out).toBe('Attributes successfully set on container "c1"\n');
    expect((await daos(system, 'container', 'set-attr', '--path', 'daos://dp/c1', 'k2:v2')).code).toBe(0);
    expect((await daos(system, 'container', 'list-attr', 'dp', 'c1')).out).toBe('Attributes for container c1:\nName\n----\nk1\nk2\n');
    expect((await daos(system, 'container', 'get-attr', 'dp', 'c1', 'nosuch')).err).toBe(
      'ERROR: daos: failed to get attributes for container c1: failed to get container attribute sizes: DER_NONEXIST(-1005): The specified entity does not exist\n',
    );
    expect((await daos(system, 'container', 'del-attr', 'dp', 'c1', 'k2')).out).toBe('Attribute(s) k2 successfully deleted on container "c1"\n');
    expect(JSON.parse((await daos(system, '-j', 'container', 'list-attr', '-V', 'dp', 'c1')).out)).toMatchObject({ response: { k1: 'djE=' } });
  });
});

describe('objects', () => {
  it('are listed and located', async () => {
    expect((await daos(fakeSystem(), 'container', 'list-objects', 'dp', 'c1')).out).toBe('281479271677952.0\n');
    expect((await daos(fakeSystem(), 'object', 'query', 'dp', 'c1', '281479271677953.0')).out).toBe(
      'oid: 281479271677953.0 ver 1 grp_nr: 2\ngrp: 0\nreplica 0 0:0\ngrp: 1\nreplica 0 0:1\n',
    );
    expect(JSON.parse((await daos(fakeSystem(), '-j', 'object', 'query', 'dp', 'c1', '281479271677953.0')).out)).toEqual({
      response: {
        oid: '281479271677953.0',
        version: 1,
        class: 'S2',
        shards: [{ replicas: [{ rank: 0, target: 0 }] }, { replicas: [{ rank: 0, target: 1 }] }],
      },
      error: null,
      status: 0,
    });
  });

  it('are refused by bad ids', async () => {
    expect((await daos(fakeSystem(), 'object', 'query', 'dp', 'c1', 'bogus')).err).toBe('ERROR: daos: failed to parse "bogus" as OID (expected HI.LO)\n');
    expect((await daos(fakeSystem(), 'object', 'query', 'dp', 'c1')).err).toBe('ERROR: daos: OID is a required argument\n');
    expect((await daos(fakeSystem(), 'object', 'query', 'dp', 'c1', '1.2')).err).toBe(
      'ERROR: daos: failed to retrieve layout for object 1.2: DER_INVAL(-1003): Invalid parameters\n',
    );
  });
});
