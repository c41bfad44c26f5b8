import { Acl, DaosError, aceParse, aclPrincipalParse, type Ownership } from '@daos/common';
import type { RdbTx } from '@daos/rdb';

import { decodeText } from '../codec.js';
import { PATH_ROOT, PoolKey } from '../layout.js';
import type { PoolService } from '../pool_service.js';
import type { OpId } from '../svc_ops.js';

/** An ACL with its owners, entries in string form. */
export interface PoolAcl {
  readonly entries: readonly string[];
  readonly owner: string;
  readonly group: string;
}

export function poolAcl(tx: RdbTx): Acl {
  const bytes = tx.lookup(PATH_ROOT, PoolKey.ACL);
  if (!bytes) throw new DaosError('DF_INVAL', 'the pool has no access control list');
  return Acl.decode(bytes);
}

export function poolOwner(tx: RdbTx): Ownership {
  const text = (key: Uint8Array): string => decodeText(tx.lookup(PATH_ROOT, key) ?? new Uint8Array(0));
  return { user: text(PoolKey.OWNER), group: text(PoolKey.OWNER_GROUP) };
}

export function aclAnswer(tx: RdbTx, acl = poolAcl(tx)): PoolAcl {
  const { user, group } = poolOwner(tx);
  return { entries: acl.format(), owner: user, group };
}

/** Merges entries into the ACL, or replaces it by them. DER_INVAL for a bad entry. Returns the ACL afterwards. */
export function poolAclUpdate(
  service: PoolService,
  op: OpId,
  entries: readonly string[],
  overwrite: boolean,
): Promise<PoolAcl> {
  return change(service, op, (acl) => {
    if (!overwrite) return acl.with(entries.map(aceParse));
    return entries.length === 0 ? Acl.empty : Acl.parse(entries);
  });
}

/** Removes the entry of a principal. DER_NONEXIST when it has none. Returns the ACL afterwards. */
export function poolAclDelete(service: PoolService, op: OpId, principal: string): Promise<PoolAcl> {
  const { principalType, principal: name } = aclPrincipalParse(principal);
  return change(service, op, (acl) => acl.without(principalType, name));
}

function change(service: PoolService, op: OpId, make: (acl: Acl) => Acl): Promise<PoolAcl> {
  return service.write(
    op,
    async (tx) => {
      const acl = make(poolAcl(tx));
      tx.update(PATH_ROOT, PoolKey.ACL, acl.encode());
      return { result: aclAnswer(tx, acl) };
    },
    (tx) => aclAnswer(tx),
  );
}
