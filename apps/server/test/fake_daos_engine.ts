// A program that behaves towards daos_server like daos_engine, with pools in memory only. Run as a child process.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { DaosError } from '@daos/common';
import { DrpcModule, DrpcServer, MgmtMethod, SrvMethod, drpcCall } from '@daos/drpc';
import { encodeMessage, type MessageType } from '@daos/proto';
import { ACLResp } from '@daos/proto/mgmt/acl';
import {
  ListContResp,
  PoolCreateReq,
  PoolCreateResp,
  PoolDestroyReq,
  PoolDestroyResp,
  PoolEvictReq,
  PoolEvictResp,
  PoolGetPropResp,
  PoolQueryReq,
  PoolQueryResp,
  PoolSetPropResp,
} from '@daos/proto/mgmt/pool';
import { DaosResp, GroupUpdateReq, GroupUpdateResp, SetRankReq } from '@daos/proto/mgmt/svc';
import { NotifyReadyReq } from '@daos/proto/srv/srv';
import { SetLogMasksResp } from '@daos/proto/ctl/server';

const { values } = parseArgs({
  options: Object.fromEntries(
    ['t', 'x', 'f', 'g', 'd', 'I', 's', 'T', 'n', 'm', 'p'].map((
      name,
    ) => [name, { type: 'string' as const, short: name }]),
  ),
});
const option = (name: string): string => {
  const value = values[name];
  if (typeof value !== 'string') throw new Error(`option -${name} is missing`);
  return value;
};
const socketDir = option('d');
const mount = option('s');
const index = Number(option('I'));
const poolsDir = join(mount, 'fake_pools');
const trace = (line: string) => {
  process.stdout.write(`${line}\n`);
};

interface FakePool {
  containers: string[];
  open: boolean;
}
/** Tests put files named after a behaviour into the storage folder. */
const told = (what: string) => existsSync(join(mount, `fake_${what}`));
let setUp = false;

function reply<T>(type: MessageType<T>, fields: object): Uint8Array {
  return encodeMessage(type, type.fromPartial(fields));
}

function mgmt(method: number, body: Uint8Array): Uint8Array {
  switch (method) {
    case MgmtMethod.SET_RANK:
      trace(`SET_RANK ${SetRankReq.decode(body).rank}`);
      return reply(DaosResp, {});
    case MgmtMethod.GROUP_UPDATE:
      trace(`GROUP_UPDATE ${GroupUpdateReq.decode(body).engines.map((engine) => engine.rank).join(',')}`);
      return reply(GroupUpdateResp, {});
    case MgmtMethod.SET_UP:
      trace('SET_UP');
      setUp = true;
      return reply(DaosResp, {});
    case MgmtMethod.PREP_SHUTDOWN:
      return reply(DaosResp, {});
    case MgmtMethod.SET_LOG_MASKS:
      return reply(SetLogMasksResp, {});
    default:
      if (!setUp) throw new DaosError('UNINIT');
      return pool(method, body);
  }
}

function pool(method: number, body: Uint8Array): Uint8Array {
  switch (method) {
    case MgmtMethod.POOL_CREATE: {
      const request = PoolCreateReq.decode(body);
      if (told('create_fails')) return reply(PoolCreateResp, { status: new DaosError('NOSPACE').status });
      if (told('create_crashes')) process.kill(process.pid, 'SIGKILL');
      savePool(request.uuid, { containers: [], open: false });
      trace(`POOL_CREATE ${request.tierBytes.join(',')} domains ${request.faultDomains.join(',')}`);
      return reply(PoolCreateResp, {
        svcLdr: request.ranks[0],
        svcReps: [request.ranks[0]],
        tgtRanks: request.ranks,
        tierBytes: request.tierBytes,
      });
    }
    case MgmtMethod.LIST_CONTAINERS:
      return reply(ListContResp, {
        containers: told('has_containers') ? [{ uuid: '11111111-1111-4111-8111-111111111111' }] : [],
      });
    case MgmtMethod.POOL_EVICT: {
      const request = PoolEvictReq.decode(body);
      if (told('pool_busy') && request.destroy && !request.forceDestroy) {
        return reply(PoolEvictResp, { status: new DaosError('BUSY').status });
      }
      return reply(PoolEvictResp, { count: 0 });
    }
    case MgmtMethod.POOL_DESTROY: {
      if (told('destroy_fails')) return reply(PoolDestroyResp, { status: new DaosError('IO').status });
      rmSync(join(poolsDir, PoolDestroyReq.decode(body).id), { force: true });
      return reply(PoolDestroyResp, {});
    }
    case MgmtMethod.POOL_QUERY: {
      const request = PoolQueryReq.decode(body);
      return reply(PoolQueryResp, {
        uuid: request.id,
        svcReps: request.svcRanks,
        totalTargets: 2,
        activeTargets: 2,
      });
    }
    case MgmtMethod.POOL_SET_PROP:
      return reply(PoolSetPropResp, {});
    case MgmtMethod.POOL_GET_PROP:
      return reply(PoolGetPropResp, {});
    case MgmtMethod.POOL_GET_ACL:
      return reply(ACLResp, { acl: { entries: ['A::OWNER@:rw'], ownerUser: 'u@', ownerGroup: 'g@' } });
    default:
      throw new DaosError('NOSYS');
  }
}

function savePool(uuid: string, state: FakePool): void {
  mkdirSync(poolsDir, { recursive: true });
  writeFileSync(join(poolsDir, uuid), JSON.stringify(state));
}

const socketPath = join(socketDir, `daos_engine_${process.pid}.sock`);
const server = DrpcServer.listen(socketPath);
server.register(DrpcModule.MGMT, (method, body) => mgmt(method, body));
const stop = () => {
  void server.close().finally(() => {
    process.exit(0);
  });
};
process.once('SIGINT', stop).once('SIGTERM', stop);
if (process.env['DAOS_ENGINE_PARENT_WATCH'] === '1') process.stdin.once('end', stop).resume();
// Keeps the process alive.
createServer().listen(0, '127.0.0.1');
trace(`pools: ${existsSync(poolsDir) ? readdirSync(poolsDir).length : 0}`);
const ready = NotifyReadyReq.fromPartial({
  uri: `ofi+tcp://127.0.0.1:${process.env['D_PORT'] ?? '0'}`,
  nctxs: 4,
  drpcListenerSock: socketPath,
  instanceIdx: index,
  ntgts: Number(option('t')),
  incarnation: BigInt(Date.now() - Date.UTC(2021, 0, 1)) * 16_000_000n,
});
await drpcCall(
  join(socketDir, 'daos_server.sock'),
  DrpcModule.SRV,
  SrvMethod.NOTIFY_READY,
  encodeMessage(NotifyReadyReq, ready),
);
