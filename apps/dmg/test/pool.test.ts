import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DaosError } from '@daos/common';
import { Fault, PoolNotFoundError } from '@daos/control';
import { ACLResp } from '@daos/proto/mgmt/acl';
import {
  ListPoolsResp,
  PoolCreateResp,
  PoolDestroyResp,
  PoolGetPropResp,
  PoolQueryResp,
  PoolQueryTargetResp,
  PoolSetPropResp,
  type PoolCreateReq,
  type PoolSetPropReq,
} from '@daos/proto/mgmt/pool';
import { SystemQueryResp } from '@daos/proto/mgmt/system';
import { StorageScanResp } from '@daos/proto/ctl/storage';

import { dmg, scratch, setUp, tearDown } from './harness.js';

beforeAll(setUp);
afterAll(tearDown);

const UUID = '91e793d7-d454-4ac0-b367-f083460e7648';
const SCM = { total: 2_000_003_072n, free: 1_370_258_112n, min: 1_370_258_112n, max: 1_370_258_112n, mean: 1_370_258_112n, mediaType: 0 };
const NVME = { total: 0n, free: 0n, min: 0n, max: 0n, mean: 0n, mediaType: 1 };

function pool(changes: object = {}): PoolQueryResp {
  return PoolQueryResp.fromPartial({
    uuid: UUID,
    totalTargets: 1,
    activeTargets: 1,
    totalEngines: 1,
    version: 1,
    state: 1,
    svcReps: [0],
    rebuild: { state: 1, derivedState: 1 },
    tierStats: [SCM, NVME],
    poolLayoutVer: 4,
    upgradeLayoutVer: 4,
    memFileBytes: 2_000_003_072n,
    selfHealPolicy: 'exclude;rebuild',
    sysSelfHealPolicy: 'exclude;pool_exclude;pool_rebuild',
    ...changes,
  });
}

describe('dmg pool create', () => {
  const created = PoolCreateResp.fromPartial({ svcReps: [0], tgtRanks: [0], tierBytes: [2_000_003_072n, 0n], memFileBytes: 2_000_003_072n });

  it('tells how sizes were understood and what was made', async () => {
    let request: PoolCreateReq | undefined;
    const ran = await dmg(
      {
        PoolCreate: (sent: PoolCreateReq) => {
          request = sent;
          return created;
        },
      },
      'pool', 'create', '--scm-size', '2G', '--properties=rd_fac:0,space_rb:0', '--user', 'bob', 'p1',
    );
    expect(ran.out).toBe(
      'Creating DAOS pool with manual per-engine storage allocation: 2.0 GB SCM, 0 B NVMe (100.00% storage tier ratio)\n' +
        'Pool created with 100.00%,0.00% storage tier ratio\n' +
        '--------------------------------------------------\n' +
        `  UUID                 : ${request?.uuid}\n` +
        '  Service Leader       : 0\n' +
        '  Service Ranks        : 0\n' +
        '  Storage Ranks        : 0\n' +
        '  Total Size           : 2.0 GB\n' +
        '  Storage tier 0 (SCM) : 2.0 GB (2.0 GB / rank)\n' +
        '  Storage tier 1 (NVMe): 0 B (0 B / rank)\n',
    );
    expect(ran.err).toBe('NOTICE: Creating DAOS pool with only a single tier of storage\n');
    expect(request).toMatchObject({ user: 'bob@', tierBytes: [2_000_000_000n, 0n], totalBytes: 0n });
    expect(request?.properties).toEqual([
      { number: 11, value: { $case: 'numval', value: 0n } },
      { number: 3, value: { $case: 'numval', value: 0n } },
      { number: 1, value: { $case: 'strval', value: 'p1' } },
    ]);
  });

  it('multiplies sizes per rank', async () => {
    const two = PoolCreateResp.fromPartial({ svcReps: [0, 1], tgtRanks: [0, 1], tierBytes: [600_000_000n, 0n] });
    expect((await dmg({ PoolCreate: two }, 'pool', 'create', '-z', '1G', 'p')).out).toContain(
      '  Service Ranks        : [0-1]\n  Storage Ranks        : [0-1]\n  Total Size           : 1.2 GB\n  Storage tier 0 (SCM) : 1.2 GB (600 MB / rank)\n',
    );
  });

  it('turns a share of the storage into sizes of the smallest rank', async () => {
    let request: PoolCreateReq | undefined;
    const mount = (rank: number, usableBytes: bigint): object => ({ size: usableBytes, mount: { rank, usableBytes, class: 'ram' } });
    const ran = await dmg(
      {
        SystemQuery: SystemQueryResp.fromPartial({ members: [{ rank: 0, state: 'joined' }, { rank: 1, state: 'joined' }] }),
        StorageScan: StorageScanResp.fromPartial({
          scm: { namespaces: [mount(0, 1000n), mount(1, 800n)] },
          nvme: { ctrlrs: [{ devState: 1, smdDevices: [{ rank: 0, usableBytes: 5000n }, { rank: 1, usableBytes: 6000n }] }] },
        }),
        PoolCreate: (sent: PoolCreateReq) => {
          request = sent;
          return created;
        },
      },
      'pool', 'create', '--size', '50%', 'p',
    );
    expect(ran.code).toBe(0);
    expect(request?.tierBytes).toEqual([400n, 2500n]);
    expect(ran.calls).toEqual(['SystemQuery', 'StorageScan', 'PoolCreate']);
  });

  it('tries again with the same UUID until the data plane runs', async () => {
    const uuids: string[] = [];
    const ran = await dmg(
      {
        PoolCreate: (sent: PoolCreateReq) => {
          uuids.push(sent.uuid);
          return uuids.length < 2 ? new Fault({ domain: 'server', code: 611, description: 'not started' }) : created;
        },
      },
      'pool', 'create', '-z', '1G', 'p',
    );
    expect(ran.code).toBe(0);
    expect(new Set(uuids).size).toBe(1);
  });

  it('shows what went wrong and what to do', async () => {
    const taken = new Fault({
      domain: 'server',
      code: 609,
      description: 'pool label "p1" already exists in the system',
      resolution: 'retry the request with a unique pool label',
    });
    expect((await dmg({ PoolCreate: taken }, 'pool', 'create', '-z', '1G', 'p1')).err).toBe(
      'ERROR: dmg: pool create failed: server: code = 609 description = "pool label \\"p1\\" already exists in the system"\n' +
        'ERROR: dmg: server: code = 609 resolution = "retry the request with a unique pool label"\n',
    );
    const full = await dmg({ PoolCreate: new DaosError('NOSPACE') }, '-j', 'pool', 'create', '-z', '100G', 'p');
    expect(JSON.parse(full.out)).toEqual({ response: null, error: 'pool create failed: DER_NOSPACE(-1007): No space on storage target', status: -1007 });
  });

  it.each([
    [['p1'], 'unsupported option combination, use (--scm-size and --nvme-size) or (--meta-size and --data-size) or (--size)'],
    [['--scm-size', '1G', '--size', '2G', 'p1'], 'unsupported option combination, use (--scm-size and --nvme-size) or (--meta-size and --data-size) or (--size)'],
    [['--size', '1X', 'p1'], "invalid argument for flag `-z, --size' (expected main.poolSizeFlag): invalid size \"1X\""],
    [['--size', '10%', '--nranks', '1', 'p1'], '--size=% may not be mixed with --nranks'],
    [['--size', '1G', 'bad label'], 'invalid label "bad label"'],
    [['--size', '1G', '--properties=label:x', 'p1'], "can't set label property with label argument"],
    [['--size', '1G', '--properties=rd_fac', 'p1'], 'invalid property "rd_fac" (must be key:val)'],
    [['--size', '1G', '--acl-file', '/nonexistent', 'p1'], 'opening ACL file: open /nonexistent: no such file or directory'],
    [['--size', '1G', '--tier-ratio', '5,5', 'p1'], "invalid argument for flag `-t, --tier-ratio' (expected main.tierRatioFlag): Storage tier ratios must add up to 100 (got 10.000000)"],
  ])('refuses %j', async (argv, message) => {
    const ran = await dmg({}, 'pool', 'create', ...argv);
    expect(ran).toMatchObject({ code: 1, err: `ERROR: dmg: ${message}\n`, calls: [] });
  });
});

describe('dmg pool query', () => {
  it('shows state, health and space', async () => {
    expect((await dmg({ PoolQuery: pool() }, 'pool', 'query', 'p1')).out).toBe(
      `Pool ${UUID}, ntarget=1, disabled=0, leader=0, version=1, state=Ready\n` +
        'Pool health info:\n- Rebuild idle, 0 objs, 0 recs\n- Data redundancy: normal\n' +
        'Pool space info:\n- Target count:1\n' +
        '- Storage tier 0 (SCM):\n  Total size: 2.0 GB\n  Free: 1.4 GB, min:1.4 GB, max:1.4 GB, mean:1.4 GB\n' +
        '- Storage tier 1 (NVME):\n  Total size: 0 B\n  Free: 0 B, min:0 B, max:0 B, mean:0 B\n',
    );
  });

  it('shows a degraded pool, and health alone', async () => {
    const degraded = pool({ totalTargets: 2, disabledTargets: 1, state: 3, disabledRanks: '1', rebuild: { state: 0, degraded: true } });
    expect((await dmg({ PoolQuery: degraded }, 'pool', 'query', '-t', 'p1')).out).toBe(
      `Pool ${UUID}, ntarget=2, disabled=1, leader=0, version=1, state=TargetsExcluded\n` +
        'Pool health info:\n- Disabled ranks: 1\n- Rebuild busy, 0 objs, 0 recs\n- Data redundancy: degraded\n',
    );
  });

  it('prints JSON in DAOS order', async () => {
    const { out } = await dmg({ PoolQuery: pool() }, '-j', 'pool', 'query', 'p1');
    const { response } = JSON.parse(out) as { response: Record<string, unknown> };
    expect(Object.keys(response)).toEqual([
      'query_mask', 'state', 'uuid', 'total_targets', 'active_targets', 'total_engines', 'disabled_targets', 'version', 'svc_ldr', 'svc_reps',
      'rebuild', 'tier_stats', 'disabled_ranks', 'pool_layout_ver', 'upgrade_layout_ver', 'mem_file_bytes', 'md_on_ssd_active', 'self_heal_policy', 'usage',
    ]);
    expect(response).toMatchObject({
      query_mask: 'disabled_engines,rebuild,self_heal_policy,space',
      rebuild: { status: 0, state: 'idle', derived_state: 'idle', objects: 0, records: 0, total_objects: 0, degraded: false },
      disabled_ranks: [],
      usage: [{ tier_name: 'SCM', size: 2000003072, free: 1370258112, imbalance: 0 }, { tier_name: 'NVME' }],
    });
  });

  it('names a pool that does not exist', async () => {
    const missing = { PoolQuery: new PoolNotFoundError({ label: 'nosuch' }) };
    expect((await dmg(missing, 'pool', 'query', 'nosuch')).err).toBe('ERROR: dmg: pool query failed: unable to find pool service with label "nosuch"\n');
    expect(JSON.parse((await dmg(missing, '-j', 'pool', 'query', 'nosuch')).out)).toMatchObject({ error: 'unable to find pool service with label "nosuch"' });
    expect((await dmg({}, 'pool', 'query', 'bad label')).err).toBe('ERROR: dmg: invalid label "bad label"\n');
  });

  it('shows targets', async () => {
    const targets = PoolQueryTargetResp.fromPartial({ infos: [{ state: 4, space: [{ total: 2_000_003_072n, free: 1_370_258_112n, mediaType: 0 }] }] });
    expect((await dmg({ PoolQuery: pool(), PoolQueryTarget: targets }, 'pool', 'query-targets', '--rank', '0', 'p1')).out).toBe(
      'Target: state up_in\n- Storage tier 0 (SCM):\n  Total size: 2.0 GB\n  Free: 1.4 GB\n',
    );
  });
});

describe('dmg pool list', () => {
  const listed = ListPoolsResp.fromPartial({ pools: [{ uuid: UUID, label: 'p1', svcReps: [0], state: 'Ready' }] });

  it('shows size and use', async () => {
    expect((await dmg({ ListPools: listed, PoolQuery: pool() }, 'pool', 'ls')).out).toBe(
      'Pool Size   State Used Imbalance Disabled\n---- ----   ----- ---- --------- --------\np1   2.0 GB Ready 31%  0%        0/1\n',
    );
    expect((await dmg({ ListPools: listed, PoolQuery: pool() }, 'system', 'list-pools', '-v')).out).toBe(
      'Label UUID                                 State SvcReps SCM Size SCM Used SCM Imbalance NVME Size NVME Used NVME Imbalance Disabled UpgradeNeeded? Rebuild State\n' +
        '----- ----                                 ----- ------- -------- -------- ------------- --------- --------- -------------- -------- -------------- -------------\n' +
        `p1    ${UUID} Ready 0       2.0 GB   630 MB   0%            0 B       0 B       0%             0/1      None           idle\n`,
    );
    expect((await dmg({ ListPools: listed }, 'pool', 'list', '-n')).out).toBe('Pool State\n---- -----\np1   Ready\n');
    expect((await dmg({ ListPools: ListPoolsResp.fromPartial({}) }, 'pool', 'list')).out).toBe('No pools in system\n');
  });

  it('fails when a pool cannot be asked', async () => {
    const ran = await dmg({ ListPools: listed, PoolQuery: new Error('no service ranks') }, 'pool', 'list');
    const text = 'Query on pool "p1" unsuccessful, error: "no service ranks"';
    expect(ran).toMatchObject({ code: 1, out: 'No pools in system\n', err: `ERROR: ${text}\n\nERROR: dmg: list pools failed: ${text}\n` });
  });
});

describe('dmg pool destroy', () => {
  it('says what it did, or why not', async () => {
    expect(await dmg({ PoolDestroy: PoolDestroyResp.fromPartial({}) }, 'pool', 'destroy', '-r', 'p1')).toMatchObject({ code: 0, out: 'Pool-destroy command succeeded\n' });
    const busy = await dmg({ PoolDestroy: new DaosError('BUSY') }, 'pool', 'destroy', 'p1');
    expect(busy).toMatchObject({
      out: 'Pool-destroy command failed: pool destroy failed: DER_BUSY(-1012): Device or resource busy\n',
      err: 'ERROR: dmg: pool destroy failed: DER_BUSY(-1012): Device or resource busy\n',
    });
  });

  it('takes "not found" after a lost answer as done', async () => {
    let tries = 0;
    const answers = { PoolDestroy: () => (++tries === 1 ? new DaosError('AGAIN') : new PoolNotFoundError({ label: 'p1' })) };
    expect((await dmg(answers, 'pool', 'destroy', 'p1')).code).toBe(0);
    expect((await dmg({ PoolDestroy: new PoolNotFoundError({ label: 'p1' }) }, 'pool', 'destroy', 'p1')).err).toBe(
      'ERROR: dmg: pool destroy failed: unable to find pool service with label "p1"\n',
    );
  });
});

describe('pool properties', () => {
  it('are shown with their descriptions', async () => {
    const answers = {
      PoolGetProp: PoolGetPropResp.fromPartial({
        properties: [
          { number: 11, value: { $case: 'numval', value: 0n } },
          { number: 1, value: { $case: 'strval', value: 'p1' } },
          { number: 3, value: { $case: 'numval', value: 5n } },
          { number: 5, value: { $case: 'numval', value: 1n } },
          { number: 9, value: { $case: 'numval', value: 131072n } },
        ],
      }),
    };
    expect((await dmg(answers, 'pool', 'get-prop', 'p1')).out).toBe(
      'Pool p1 properties:\n' +
        'Name                            Value\n' +
        '----                            -----\n' +
        'EC cell size (ec_cell_sz)       128 KiB\n' +
        'Pool label (label)              p1\n' +
        'Pool redundancy factor (rd_fac) 0\n' +
        'Reclaim strategy (reclaim)      lazy\n' +
        'Rebuild space ratio (space_rb)  5%\n',
    );
    const json = JSON.parse((await dmg(answers, '-j', 'pool', 'get-prop', 'p1')).out) as { response: object[] };
    expect(json.response).toContainEqual({ name: 'ec_cell_sz', description: 'EC cell size', value: 131072 });
    expect(json.response).toContainEqual({ name: 'space_rb', description: 'Rebuild space ratio', value: 5 });
    expect(json.response).toContainEqual({ name: 'reclaim', description: 'Reclaim strategy', value: 'lazy' });
  });

  it('are set by name', async () => {
    let sent: PoolSetPropReq | undefined;
    const answers = {
      PoolSetProp: (request: PoolSetPropReq) => {
        sent = request;
        return PoolSetPropResp.fromPartial({});
      },
    };
    expect((await dmg(answers, 'pool', 'set-prop', 'p1', 'reclaim:disabled,self_heal:exclude;rebuild,ec_cell_sz:64KiB')).out).toBe('pool set-prop succeeded\n');
    expect(sent?.properties).toEqual([
      { number: 5, value: { $case: 'numval', value: 0n } },
      { number: 4, value: { $case: 'numval', value: 3n } },
      { number: 9, value: { $case: 'numval', value: 65536n } },
    ]);
  });

  it.each([
    ['reclaim:bogus', 'invalid value "bogus" for reclaim (valid: disabled,lazy,time)'],
    ['space_rb:200', 'invalid space_rb value 200 (valid values: 0-100)'],
    ['ec_cell_sz:1000', 'invalid EC Cell size "1000"'],
    ['rd_fac:9', 'invalid redun fac value 9 (valid values: 0-4)'],
    ['perf_domain:node', 'invalid value "node" for perf_domain (valid: group,root)'],
    ['checkpoint_freq:x', 'invalid Checkpointing Frequency value x'],
    ['ec_pda:0', 'invalid ec_pda value "0"'],
    ['svc_list:1', 'cannot set pool service replica list'],
    ['upgrade_status:1', 'invalid value "1" for upgrade_status (valid: completed,failed,in progress,not started)'],
  ])('refuses %s', async (pair, message) => {
    expect((await dmg({}, 'pool', 'set-prop', 'p1', pair)).err).toBe(`ERROR: dmg: ${message}\n`);
  });

  it('wraps failures as DAOS does', async () => {
    expect((await dmg({ PoolSetProp: new DaosError('NO_PERM') }, 'pool', 'set-prop', 'p1', 'svc_rf:1')).err).toBe(
      'ERROR: dmg: pool set-prop failed: pool set-prop failed: DER_NO_PERM(-1001): Operation not permitted\n',
    );
  });
});

describe('pool access control', () => {
  const answers = { PoolGetACL: ACLResp.fromPartial({ acl: { entries: ['A::OWNER@:rw', 'A:G:GROUP@:rw'], ownerUser: 'root@', ownerGroup: 'root@' } }) };

  it('is shown, explained and written to a file once', async () => {
    const text = '# Owner: root@\n# Owner Group: root@\n# Entries:\nA::OWNER@:rw\nA:G:GROUP@:rw\n';
    expect((await dmg(answers, 'pool', 'get-acl', 'p1')).out).toBe(text);
    expect((await dmg(answers, 'pool', 'get-acl', '-v', 'p1')).out).toContain('# Allow:Group:Owner-Group:Read/Write\nA:G:GROUP@:rw\n');
    const file = scratch('acl.out');
    expect((await dmg(answers, 'pool', 'get-acl', '--outfile', file, 'p1')).out).toBe(`Wrote ACL to output file: ${file}\n`);
    expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(text);
    expect((await dmg(answers, 'pool', 'get-acl', '--outfile', file, 'p1')).err).toBe(`ERROR: dmg: file already exists: ${file}\n`);
  });

  it('is changed by an entry or a file, not by both or none', async () => {
    const file = scratch('acl.in');
    writeFileSync(file, '# comment\n\nA::bob@:r\n');
    let entries: readonly string[] = [];
    const update = {
      PoolUpdateACL: (request: { entries: string[] }) => {
        entries = request.entries;
        return answers.PoolGetACL;
      },
    };
    expect((await dmg(update, 'pool', 'update-acl', 'p1', '-a', file)).out).toMatch(/^Pool-update-ACL command succeeded, ID: p1\n# Owner: root@\n/);
    expect(entries).toEqual(['A::bob@:r']);
    expect((await dmg({}, 'pool', 'update-acl', 'p1')).err).toBe('ERROR: dmg: either ACL file or entry parameter is required\n');
    const bad = await dmg({ PoolUpdateACL: new DaosError('INVAL') }, '-j', 'pool', 'update-acl', 'p1', '-e', 'bogus');
    expect(JSON.parse(bad.out)).toEqual({
      response: { ACL: { entries: null, owner_user: '', owner_group: '' } },
      error: 'DER_INVAL(-1003): Invalid parameters',
      status: -1003,
    });
  });
});
