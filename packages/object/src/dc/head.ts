import { uuidGenerate, type ObjectId, type Uuid } from '@daos/common';
import type { DcCont } from '@daos/container/dc';

import type { ObjHead } from '../rpc.js';

/** Identifies this process in the ids of its modifications. */
const CLIENT_ID: Uuid = uuidGenerate();

interface HeadParts {
  readonly shard: number;
  readonly mapVersion: number;
  readonly flags: number;
  readonly apiFlags: number;
  /** Clock reading that names a modification; 0 for reads. */
  readonly dtiHlc: bigint;
}

/** What every request to the object service begins with. */
export function requestHead(cont: DcCont, oid: ObjectId, parts: HeadParts): ObjHead {
  return {
    pool: cont.pool.uuid,
    handle: cont.handle,
    container: cont.uuid,
    mapVersion: parts.mapVersion,
    flags: parts.flags,
    dtiClient: CLIENT_ID,
    dtiHlc: parts.dtiHlc,
    oid,
    shard: parts.shard,
    layoutVersion: cont.objectVersion,
    epoch: 0n,
    apiFlags: parts.apiFlags,
    enqueueId: 0,
  };
}
