import { DaosError } from '@daos/common';
import { MgmtMethod } from '@daos/drpc';
import type { Xstream } from '@daos/engine';
import { SetLogMasksReq, SetLogMasksResp } from '@daos/proto/ctl/server';
import { PoolCreateReq, PoolCreateResp } from '@daos/proto/mgmt/pool';
import {
  DaosResp,
  GroupUpdateReq,
  GroupUpdateResp,
  PingRankReq,
  PrepShutdownReq,
  SetRankReq,
} from '@daos/proto/mgmt/svc';

import { drpcMethod, type DrpcMethod } from './dispatch.js';
import type { GroupDistribution } from './group.js';
import { mgmtPoolCreate } from './pool_create.js';

/** SET_UP has no request fields. */
const EMPTY_REQ = { decode: (): undefined => undefined };

/** dRPC methods that drive this engine itself, by method id. */
export function engineMethods(xs: Xstream, group: GroupDistribution): ReadonlyMap<number, DrpcMethod> {
  return new Map<number, DrpcMethod>([
    [
      MgmtMethod.SET_RANK,
      drpcMethod('SET_RANK', SetRankReq, DaosResp, async (request) => {
        await xs.setRank(request.rank, request.mapVersion);
        return {};
      }),
    ],
    [
      MgmtMethod.POOL_CREATE,
      drpcMethod(
        'POOL_CREATE',
        PoolCreateReq,
        PoolCreateResp,
        async (request) => mgmtPoolCreate(xs, request),
      ),
    ],
    [
      MgmtMethod.SET_UP,
      drpcMethod('SET_UP', EMPTY_REQ, DaosResp, async () => {
        await xs.setUp();
        return {};
      }),
    ],
    // What a rank must finish before it stops (rebuild, exclusion of others) does not run yet: only the rank is checked.
    [
      MgmtMethod.PREP_SHUTDOWN,
      drpcMethod('PREP_SHUTDOWN', PrepShutdownReq, DaosResp, async (request) => {
        requireOwnRank(xs, request.rank);
        return {};
      }),
    ],
    [
      MgmtMethod.PING_RANK,
      drpcMethod('PING_RANK', PingRankReq, DaosResp, async (request) => {
        requireOwnRank(xs, request.rank);
        return {};
      }),
    ],
    [
      MgmtMethod.GROUP_UPDATE,
      drpcMethod('GROUP_UPDATE', GroupUpdateReq, GroupUpdateResp, async (request) => {
        const members = request.engines.map(({ rank, uri }) => ({ rank, uri }));
        const isNew = await group.update(request.mapVersion, members);
        if (!isNew && request.mapVersion < xs.groupVersion()) {
          throw new DaosError(
            'GRPVER',
            `group version ${request.mapVersion} is older than ${xs.groupVersion()}`,
          );
        }
        return {};
      }),
    ],
    [
      MgmtMethod.SET_LOG_MASKS,
      drpcMethod('SET_LOG_MASKS', SetLogMasksReq, SetLogMasksResp, async (request) => {
        await xs.setLogMasks(request.masks, request.subsystems);
        return { errors: [] };
      }),
    ],
  ]);
}

function requireOwnRank(xs: Xstream, rank: number): void {
  if (rank !== xs.engine.rank) {
    throw new DaosError('INVAL', `request for rank ${rank} reached rank ${xs.engine.rank}`);
  }
}
