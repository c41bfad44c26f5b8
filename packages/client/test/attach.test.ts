import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DrpcModule, DrpcRegistry, DrpcServer, MgmtMethod } from '@daos/drpc';
import { encodeMessage } from '@daos/proto';
import { GetAttachInfoResp } from '@daos/proto/mgmt/svc';

import { daosInit } from '../src/index.js';

describe('attaching to a system', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'daos-client-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('says where it looked for the agent and how to start one', async () => {
    await expect(daosInit({ agentDir: dir })).rejects.toThrow(/DER_AGENT_COMM.*no daos_agent listens at .*daos_agent\.sock; start one/);
  });

  it('takes the folder of the socket from the environment', async () => {
    const before = process.env['DAOS_AGENT_DRPC_DIR'];
    process.env['DAOS_AGENT_DRPC_DIR'] = join(dir, 'elsewhere');
    try {
      await expect(daosInit()).rejects.toThrow(/elsewhere/);
    } finally {
      if (before === undefined) delete process.env['DAOS_AGENT_DRPC_DIR'];
      else process.env['DAOS_AGENT_DRPC_DIR'] = before;
    }
  });

  it('refuses a system name that is none', async () => {
    await expect(daosInit({ system: '', agentDir: dir })).rejects.toThrow(/DER_INVAL/);
    await expect(daosInit({ system: 'a name far too long', agentDir: dir })).rejects.toThrow(/DER_INVAL/);
  });

  it('says so when the system has no engine', async () => {
    const registry = new DrpcRegistry();
    registry.register(DrpcModule.MGMT, (method) => {
      expect(method).toBe(MgmtMethod.GET_ATTACH_INFO);
      return Promise.resolve(encodeMessage(GetAttachInfoResp, GetAttachInfoResp.create({ sys: 'daos_server' })));
    });
    const server = DrpcServer.listen(join(dir, 'daos_agent.sock'), { registry });
    try {
      await expect(daosInit({ agentDir: dir })).rejects.toThrow(/DER_UNREACH.*has no engine/);
    } finally {
      await server.close();
    }
  });
});
