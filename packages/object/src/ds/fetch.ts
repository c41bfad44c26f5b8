import type { RpcReply, RpcRequest } from '@daos/cart';
import { Cond, DaosError, isDaosError, objectIdToString } from '@daos/common';
import { getLogger } from '@daos/gurt';
import type { VosFetchedIod } from '@daos/vos';

import { ObjFlag, type ObjFetchOut, type ObjUpdateIn } from '../rpc.js';
import { fetchedIodReply, fetchedIodSizes } from './fetch_reply.js';
import { iodsOf, verifyKeys } from './iods.js';
import { checksummerFor, type Admitted, type ObjTarget } from './target.js';

type FetchReply = RpcReply<ObjFetchOut>;

const FETCH_CONDITIONS = Cond.DKEY_FETCH | Cond.AKEY_FETCH | Cond.PER_AKEY;
/** A key's first bytes are enough to find it. */
const LOGGED_KEY_BYTES = 64;
const log = getLogger('object');

/** Serves OBJ_FETCH: data, sizes only, existence only, or a client's report of corruption. */
export function serveFetch(target: ObjTarget, request: RpcRequest<ObjUpdateIn>): FetchReply | Promise<FetchReply> {
  const { input } = request;
  const { head } = input;
  return target.admit(head, false, (admitted) => {
    if ((head.flags & ObjFlag.CSUM_REPORT) !== 0) return corruptionReported(target, request, admitted);
    if ((head.apiFlags & ~FETCH_CONDITIONS) !== 0) throw new DaosError('INVAL', 'flags do not belong to a fetch');
    const iods = iodsOf(input, admitted);
    const checksummer = checksummerFor(admitted);
    if (checksummer && input.checksumType !== 0) verifyKeys(input, checksummer);
    const sizeOnly = (head.flags & (ObjFlag.EMPTY_SGL | ObjFlag.CHECK_EXISTENCE)) !== 0;
    const found = admitted.handle.container.fetch({
      oid: admitted.unit,
      flavours: admitted.flavours,
      epoch: admitted.epoch,
      flags: head.apiFlags,
      dkey: input.dkey,
      iods,
      sizeOnly,
    });
    const reply = (list: VosFetchedIod[]): FetchReply => {
      const data: Uint8Array[] = [];
      try {
        const out = list.map((one, i) => {
          const iod = iods[i];
          if (!iod) throw new DaosError('IO', 'more answers than descriptors');
          return sizeOnly ? fetchedIodSizes(iod, one) : fetchedIodReply(iod, one, checksummer, data);
        });
        return { output: fetchOut(admitted, out, checksummer !== undefined), data };
      } catch (error) {
        if (isDaosError(error, 'CSUM')) logCorruption(target, request, 'stored data do not match their checksums', error);
        throw error;
      }
    };
    return found instanceof Promise ? found.then(reply) : reply(found);
  });
}

function fetchOut(admitted: Admitted, iods: ObjFetchOut['iods'], withChecksums: boolean): ObjFetchOut {
  const kind = withChecksums ? admitted.handle.checksum : undefined;
  return {
    mapVersion: admitted.handle.poolMapVersion,
    epoch: admitted.epoch,
    checksumType: kind?.type ?? 0,
    checksumChunk: kind?.chunkBytes ?? 0,
    iods,
  };
}

/** A client's report reads nothing: it is there to be noticed. */
function corruptionReported(target: ObjTarget, request: RpcRequest<ObjUpdateIn>, admitted: Admitted): FetchReply {
  logCorruption(target, request, 'a client found corrupted data from this target');
  return { output: fetchOut(admitted, [], false) };
}

function logCorruption(target: ObjTarget, request: RpcRequest<ObjUpdateIn>, what: string, error?: DaosError): void {
  const { peer, input: { head, dkey } } = request;
  const oid = objectIdToString(head.oid);
  target.corruptions.run(`${head.container}/${oid}/${what}`, (suppressed) => {
    log.error(what, {
      peer, target: target.xs.target, container: head.container, oid, suppressed,
      dkey: Buffer.from(dkey.subarray(0, LOGGED_KEY_BYTES)).toString('hex'),
      ...(error && { error: error.detail }),
    });
  });
}
