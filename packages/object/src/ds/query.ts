import type { RpcReply } from '@daos/cart';
import { isDaosError, type Epoch } from '@daos/common';
import type { VosQueryResult } from '@daos/vos';

import type { ObjAnswer, ObjHead } from '../rpc.js';
import { answerOf, checkKey, type ObjTarget } from './target.js';

interface QueryKeys {
  readonly dkey?: Uint8Array | undefined;
  readonly akey?: Uint8Array | undefined;
}

interface QueryOut extends ObjAnswer {
  readonly found: boolean;
  readonly dkey?: Uint8Array | undefined;
  readonly akey?: Uint8Array | undefined;
  readonly recx?: readonly bigint[] | undefined;
  readonly maxEpoch: Epoch;
}

/**
 * Serves OBJ_QUERY_KEY. Nothing that qualifies is an answer, not an error: the sender merges the answers of many
 * shards, and the highest epoch counts in any case.
 */
export function serveQuery(target: ObjTarget, head: ObjHead, keys: QueryKeys): RpcReply<QueryOut> | Promise<RpcReply<QueryOut>> {
  return target.admit(head, false, (admitted) => {
    if (keys.dkey) checkKey(keys.dkey, admitted.flavours.dkey, 'dkey');
    if (keys.akey) checkKey(keys.akey, admitted.flavours.akey, 'akey');
    const { container } = admitted.handle;
    const at = { oid: admitted.unit, flavours: admitted.flavours, epoch: admitted.epoch };
    const answer = answerOf(admitted);
    try {
      const found = container.queryKey({
        ...at, flags: head.apiFlags, ...(keys.dkey && { dkey: keys.dkey }), ...(keys.akey && { akey: keys.akey }),
      });
      return { output: { ...answer, ...queryOut(found) } };
    } catch (error) {
      if (!isDaosError(error, 'NONEXIST')) throw error;
      return { output: { ...answer, found: false, maxEpoch: maxWrite(() => container.queryKey({ ...at, flags: 0 })) } };
    }
  });
}

function queryOut(found: VosQueryResult): Omit<QueryOut, keyof ObjAnswer> {
  return {
    found: true,
    dkey: found.dkey,
    akey: found.akey,
    recx: found.recx && [found.recx.idx, found.recx.nr],
    maxEpoch: found.maxWrite,
  };
}

function maxWrite(query: () => VosQueryResult): Epoch {
  try {
    return query().maxWrite;
  } catch (error) {
    if (isDaosError(error, 'NONEXIST')) return 0n;
    throw error;
  }
}

/** Serves OBJ_KEY2ANCHOR. */
export function serveKeyToAnchor(
  target: ObjTarget, head: ObjHead, dkey: Uint8Array, akey: Uint8Array | undefined,
): RpcReply<ObjAnswer & { anchor: Uint8Array }> | Promise<RpcReply<ObjAnswer & { anchor: Uint8Array }>> {
  return target.admit(head, false, (admitted) => {
    checkKey(dkey, admitted.flavours.dkey, 'dkey');
    if (akey) checkKey(akey, admitted.flavours.akey, 'akey');
    const anchor = admitted.handle.container.keyToAnchor({
      oid: admitted.unit, flavours: admitted.flavours, dkey, ...(akey && { akey }),
    });
    return { output: { ...answerOf(admitted), anchor } };
  });
}
