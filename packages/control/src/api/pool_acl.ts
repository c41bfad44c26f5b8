import { unaryMethod } from '@daos/proto';
import { ACLResp, DeleteACLReq, GetACLReq, ModifyACLReq, type AccessControlList } from '@daos/proto/mgmt/acl';

import type { ControlClient, ControlOptions } from './control_client.js';
import { canRetryPool } from './pool.js';

const GET = unaryMethod('/mgmt.MgmtSvc/PoolGetACL', GetACLReq, ACLResp);
const OVERWRITE = unaryMethod('/mgmt.MgmtSvc/PoolOverwriteACL', ModifyACLReq, ACLResp);
const UPDATE = unaryMethod('/mgmt.MgmtSvc/PoolUpdateACL', ModifyACLReq, ACLResp);
const DELETE = unaryMethod('/mgmt.MgmtSvc/PoolDeleteACL', DeleteACLReq, ACLResp);

const EMPTY: AccessControlList = { entries: [], ownerUser: '', ownerGroup: '' };

/** Access control list and owners of a pool. */
export async function poolGetAcl(client: ControlClient, pool: string, options: ControlOptions = {}): Promise<AccessControlList> {
  const message = GetACLReq.fromPartial({ sys: client.sys, id: pool });
  return aclOf(await client.callMs('PoolGetACLReq', GET, message, { ...options, canRetry: canRetryPool }));
}

/** Replaces all entries. Returns the resulting list. */
export async function poolOverwriteAcl(client: ControlClient, pool: string, entries: readonly string[], options: ControlOptions = {}): Promise<AccessControlList> {
  const message = ModifyACLReq.fromPartial({ sys: client.sys, id: pool, entries: [...entries] });
  return aclOf(await client.callMs('PoolOverwriteACLReq', OVERWRITE, message, { ...options, canRetry: canRetryPool }));
}

/** Adds or replaces the entries of these principals. Returns the resulting list. */
export async function poolUpdateAcl(client: ControlClient, pool: string, entries: readonly string[], options: ControlOptions = {}): Promise<AccessControlList> {
  const message = ModifyACLReq.fromPartial({ sys: client.sys, id: pool, entries: [...entries] });
  return aclOf(await client.callMs('PoolUpdateACLReq', UPDATE, message, { ...options, canRetry: canRetryPool }));
}

/** Removes a principal's entry (`u:bob@`, `OWNER@`). Returns the resulting list. */
export async function poolDeleteAcl(client: ControlClient, pool: string, principal: string, options: ControlOptions = {}): Promise<AccessControlList> {
  const message = DeleteACLReq.fromPartial({ sys: client.sys, id: pool, principal });
  return aclOf(await client.callMs('PoolDeleteACLReq', DELETE, message, { ...options, canRetry: canRetryPool }));
}

function aclOf(response: ACLResp): AccessControlList {
  return response.acl ?? EMPTY;
}
