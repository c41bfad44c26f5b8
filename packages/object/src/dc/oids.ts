import { targetTag, type Endpoint } from '@daos/cart';
import { ComponentStatus, type ObjectId } from '@daos/common';
import type { DcCont } from '@daos/container/dc';

import { OBJ_OID_LIST, PAGE_ITEMS_MAX } from '../rpc.js';
import { objectIdClassBits } from '../key_flavours.js';
import { requestHead } from './head.js';
import { callRetrying, type ObjOptions, type ShardTarget } from './retry.js';

/** Group field of an object id: more than one shard, so that several targets know the object. */
const GROUPS_MASK = 0xffff;

/** The targets of a pool, addressed one by one. */
function targetAt(cont: DcCont, rank: number, target: number): ShardTarget {
  const endpoint: Endpoint = { rank, tag: targetTag(target) };
  return {
    cont,
    subject: `container ${cont.label ?? cont.uuid}, rank ${rank} target ${target}`,
    address: () => ({ shard: 0, endpoint }),
    head: (_shard, flags, apiFlags, dtiHlc) =>
      requestHead(cont, { hi: 0n, lo: 0n }, { shard: 0, mapVersion: cont.pool.map.version, flags, apiFlags, dtiHlc }),
  };
}

/**
 * All objects of a container that hold data, each once, target after target. Not a snapshot: objects made or punched
 * meanwhile may or may not appear. Ids of objects with several shards are remembered until the end.
 */
export async function* dcObjListAll(cont: DcCont, options: ObjOptions = {}): AsyncIterable<ObjectId> {
  const seen = new Set<string>();
  const targets = cont.pool.map.targets.filter(({ status }) => status === ComponentStatus.UPIN);
  for (const { rank, index } of targets) {
    let anchor: Uint8Array | undefined;
    do {
      const from = anchor;
      const { output } = await callRetrying({
        obj: targetAt(cont, rank, index), group: 0, write: false, rpc: OBJ_OID_LIST, flags: 0, apiFlags: 0, options,
        make: (head) => ({ head, epochLo: 0n, limit: PAGE_ITEMS_MAX, anchor: from }),
      });
      for (const oid of output.oids) {
        if ((objectIdClassBits(oid) & GROUPS_MASK) === 1) {
          yield oid;
          continue;
        }
        const text = `${oid.hi}.${oid.lo}`;
        if (seen.has(text)) continue;
        seen.add(text);
        yield oid;
      }
      anchor = output.next;
    } while (anchor);
  }
}
