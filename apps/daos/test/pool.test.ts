import { DaosError } from '@daos/common';

import { POOL_UUID, daos, fakeSystem } from './fake_daos.js';

describe('daos pool query', () => {
  it('shows state, health and space', async () => {
    expect((await daos(fakeSystem(), 'pool', 'query', '-e', 'dp')).out).toBe(
      `Pool ${POOL_UUID}, ntarget=1, disabled=0, leader=0, version=1, state=Ready\n` +
        'Pool health info:\n- Enabled ranks: 0\n- Rebuild idle, 0 objs, 0 recs\n- Data redundancy: normal\n' +
        'Pool space info:\n- Target count:1\n' +
        '- Storage tier 0 (SCM):\n  Total size: 1.5 GB\n  Free: 870 MB, min:870 MB, max:870 MB, mean:870 MB\n' +
        '- Storage tier 1 (NVME):\n  Total size: 0 B\n  Free: 0 B, min:0 B, max:0 B, mean:0 B\n',
    );
    const json = JSON.parse((await daos(fakeSystem(), '-j', 'pool', 'query', 'dp')).out) as { response: object };
    expect(json.response).toMatchObject({ query_mask: 'disabled_engines,rebuild,space', label: 'dp', total_targets: 1, disabled_ranks: [], self_heal_policy: '' });
  });

  it('says which pool it cannot reach, and why', async () => {
    expect(await daos(fakeSystem(), 'pool', 'query', 'nosuch')).toEqual({
      code: 1,
      out: '',
      err: 'ERROR: daos: failed to connect to pool nosuch: failed to connect to pool: DER_NONEXIST(-1005): The specified entity does not exist\n',
    });
    expect((await daos(fakeSystem({ denied: true }), 'pool', 'query', 'dp')).err).toBe(
      'ERROR: daos: failed to connect to pool dp: failed to connect to pool: DER_NO_PERM(-1001): Operation not permitted\n',
    );
    expect((await daos(fakeSystem(), 'pool', 'query')).err).toBe(
      'ERROR: daos: failed to connect to pool <no label or uuid set>: no pool UUID or label supplied\n',
    );
  });

  it('says what to do without an agent, under the number that scripts know', async () => {
    const lost = fakeSystem({ initFailure: new DaosError('AGENT_COMM', 'no daos_agent listens at /x; start one') });
    expect((await daos(lost, 'pool', 'list')).err).toBe(
      'ERROR: daos: failed to initialize DAOS API: DER_MISC(-1025): Miscellaneous error (no daos_agent listens at /x; start one)\n',
    );
    expect(JSON.parse((await daos(lost, '-j', 'pool', 'list')).out)).toMatchObject({ response: null, status: -1025 });
  });
});

describe('daos pool list', () => {
  it('shows the pools that the user may use', async () => {
    expect((await daos(fakeSystem(), 'pool', 'list')).out).toBe(
      'Pool Size   State Used Imbalance Disabled\n---- ----   ----- ---- --------- --------\ndp   1.5 GB Ready 41%  0%        0/1\n',
    );
    expect((await daos(fakeSystem(), 'pool', 'list', '--no-query')).out).toBe('Pool State\n---- -----\ndp   Ready\n');
    expect((await daos(fakeSystem({ denied: true }), 'pool', 'list')).out).toBe('No pools in system\n');
  });
});

describe('pool attributes', () => {
  it('are set, listed, shown and removed', async () => {
    const system = fakeSystem();
    expect((await daos(system, 'pool', 'list-attr', 'dp')).out).toBe('Attributes for pool dp:\n  No attributes found.\n');
    expect((await daos(system, 'pool', 'set-attr', 'dp', 'k2:v2,k1:v1')).out).toBe('Attributes successfully set on pool "dp"\n');
    expect((await daos(system, 'pool', 'list-attrs', 'dp')).out).toBe('Attributes for pool dp:\nName\n----\nk1\nk2\n');
    expect((await daos(system, 'pool', 'lsattr', '-V', 'dp')).out).toBe('Attributes for pool dp:\nName Value\n---- -----\nk1   v1\nk2   v2\n');
    expect((await daos(system, 'pool', 'get-attr', 'dp', 'k1')).out).toBe('Attributes for pool dp:\nName Value\n---- -----\nk1   v1\n');
    expect(JSON.parse((await daos(system, '-j', 'pool', 'get-attr', 'dp', 'k1')).out)).toEqual({ response: { name: 'k1', value: 'djE=' }, error: null, status: 0 });
    expect(JSON.parse((await daos(system, '-j', 'pool', 'list-attr', 'dp')).out)).toMatchObject({ response: ['k1', 'k2'] });
    expect((await daos(system, 'pool', 'del-attr', 'dp', 'k2')).out).toBe('Attribute(s) k2 successfully deleted on pool "dp"\n');
    expect((await daos(system, 'pool', 'get-attr', 'dp', 'nosuch')).err).toBe(
      'ERROR: daos: failed to get attributes for pool dp: failed to get pool attribute sizes: DER_NONEXIST(-1005): The specified entity does not exist\n',
    );
    expect((await daos(system, 'pool', 'set-attr', 'dp')).err).toBe('ERROR: daos: the required argument `key:val[,key:val...]` was not provided\n');
  });
});

it('shows the system', async () => {
  expect((await daos(fakeSystem(), 'system', 'query')).out).toBe(
    'connected to DAOS system:\n\tname: daos_server\n\tfabric provider: ofi+tcp\n\taccess point ranks:\n' +
      '\t\trank[0]: ofi+tcp://127.0.0.1:31416\n\trank URIs:\n\t\trank[0]: ofi+tcp://127.0.0.1:31416\n',
  );
  expect(JSON.parse((await daos(fakeSystem(), '-j', 'system', 'query')).out)).toEqual({
    response: {
      system_name: 'daos_server',
      fabric_provider: 'ofi+tcp',
      agent_path: '/var/run/daos_agent/daos_agent.sock',
      rank_uris: [{ rank: 0, uri: 'ofi+tcp://127.0.0.1:31416' }],
      access_point_rank_uris: [{ rank: 0, uri: 'ofi+tcp://127.0.0.1:31416' }],
    },
    error: null,
    status: 0,
  });
  expect((await daos(fakeSystem(), 'server-version')).out).toBe('DAOS Control Server version 2.9.100\n');
  expect((await daos(fakeSystem(), 'version')).out).toBe('DAOS CLI version 2.9.100, libdaos v2.8.0\n');
});

it('says which verbs of DAOS are not there yet', async () => {
  expect((await daos(fakeSystem(), 'container', 'clone', '-S', 'a', '-D', 'b')).err).toMatch(/^ERROR: daos: container clone: DER_NOSYS\(-1010\)/);
});
