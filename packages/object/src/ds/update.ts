import type { RpcReply, RpcRequest } from '@daos/cart';
import { Cond, DaosError, isDaosError, type Epoch, type Iod } from '@daos/common';

import { ObjFlag, type ObjAnswer, type ObjHead, type ObjUpdateIn } from '../rpc.js';
import { checksumsOf, iodsOf, valuesOf } from './iods.js';
import { checkKey, answerOf, type Admitted, type ObjTarget } from './target.js';

type AnswerReply = RpcReply<ObjAnswer>;

const UPDATE_CONDITIONS = Cond.DKEY_INSERT | Cond.DKEY_UPDATE | Cond.AKEY_INSERT | Cond.AKEY_UPDATE | Cond.PER_AKEY;
const INSERT_CONDITIONS = Cond.DKEY_INSERT | Cond.AKEY_INSERT | Cond.PER_AKEY;

/** Serves OBJ_UPDATE. Answers when the update is durable. */
export function serveUpdate(target: ObjTarget, request: RpcRequest<ObjUpdateIn>): AnswerReply | Promise<AnswerReply> {
  const { input } = request;
  return target.admit(input.head, true, (admitted) => {
    const done = resent(target, input.head, admitted);
    if (done) return done;
    const data = request.data();
    return data instanceof Promise
      ? data.then((bytes) => applyUpdate(target, input, admitted, bytes))
      : applyUpdate(target, input, admitted, data);
  });
}

function applyUpdate(target: ObjTarget, input: ObjUpdateIn, admitted: Admitted, data: Uint8Array): Promise<AnswerReply> {
  const { head } = input;
  if ((head.apiFlags & ~UPDATE_CONDITIONS) !== 0) throw new DaosError('INVAL', 'flags do not belong to an update');
  const iods = iodsOf(input, admitted);
  if (iods.length === 0) throw new DaosError('INVAL', 'an update needs at least one value');
  const values = valuesOf(iods, data);
  const checksums = checksumsOf(input, iods, values, admitted);
  const update = {
    oid: admitted.unit,
    flavours: admitted.flavours,
    epoch: admitted.epoch,
    flags: head.apiFlags,
    dkey: input.dkey,
    iods,
    values,
    ...(checksums && { checksums }),
  };
  const applied = tracked(target, head, () => admitted.handle.container.update(update));
  const replied = applied.then(() => ({ output: answerOf(admitted) }));
  if ((head.flags & ObjFlag.RESEND) === 0 || (head.apiFlags & INSERT_CONDITIONS) === 0) return replied;
  return replied.catch((error: unknown) => {
    if (isDaosError(error, 'EXIST')) return recognisedInsert(target, input, admitted, iods, values, error);
    throw error;
  });
}

/**
 * A resent insert that meets a key may meet its own first try, made before this engine restarted. It is recognised by
 * finding exactly what it would insert, written after the client first sent it.
 */
async function recognisedInsert(
  target: ObjTarget, input: ObjUpdateIn, admitted: Admitted, iods: readonly Iod[], values: readonly Uint8Array[],
  error: DaosError,
): Promise<AnswerReply> {
  if (input.head.dtiHlc >= target.resends.since) throw error;
  const found = await admitted.handle.container.fetch({
    oid: admitted.unit, flavours: admitted.flavours, epoch: admitted.epoch, flags: 0, dkey: input.dkey, iods,
  });
  const own = iods.every((iod, i) => {
    const pieces = found[i]?.pieces ?? [];
    const bytes = Buffer.concat(pieces.map((piece) => piece.data));
    return iod.size > 0 && bytes.equals(values[i] as Uint8Array) && pieces.every((piece) => piece.epoch > input.head.dtiHlc);
  });
  if (!own) throw error;
  return { output: answerOf(admitted) };
}

/** The answer to a request that was sent before and is known: it was executed, or still is. */
export function resent(target: ObjTarget, head: ObjHead, admitted: Admitted): AnswerReply | undefined {
  if ((head.flags & ObjFlag.RESEND) === 0) return undefined;
  const state = target.resends.lookup(head.dtiClient, head.dtiHlc);
  if (state === 'executing') throw new DaosError('INPROGRESS', 'the request sent before is still being executed');
  return state === 'done' ? { output: answerOf(admitted) } : undefined;
}

/** Runs a modification and remembers its outcome for resends. */
export function tracked(target: ObjTarget, head: ObjHead, run: () => Promise<void>): Promise<void> {
  const entry = target.resends.begin(head.dtiClient, head.dtiHlc);
  let applied: Promise<void>;
  try {
    applied = run();
  } catch (error) {
    entry.finish(false);
    throw error;
  }
  return applied.then(
    () => {
      entry.finish(true);
    },
    (error: unknown) => {
      entry.finish(false);
      throw error;
    },
  );
}

export interface PunchKeys {
  readonly dkey?: Uint8Array;
  readonly akeys?: readonly Uint8Array[];
}

/** Serves the three punches: of an object, of a dkey, of akeys. */
export function servePunch(target: ObjTarget, head: ObjHead, keys: PunchKeys): AnswerReply | Promise<AnswerReply> {
  return target.admit(head, true, (admitted) => {
    const done = resent(target, head, admitted);
    if (done) return done;
    if ((head.apiFlags & ~Cond.PUNCH) !== 0) throw new DaosError('INVAL', 'flags do not belong to a punch');
    if (keys.dkey) checkKey(keys.dkey, admitted.flavours.dkey, 'dkey');
    keys.akeys?.forEach((akey) => {
      checkKey(akey, admitted.flavours.akey, 'akey');
    });
    const punch = {
      oid: admitted.unit,
      flavours: admitted.flavours,
      epoch: admitted.epoch as Epoch,
      flags: keys.dkey ? head.apiFlags : 0,
      ...keys,
    };
    return tracked(target, head, () => admitted.handle.container.punch(punch)).then(() => ({ output: answerOf(admitted) }));
  });
}
