import { Cond, DaosError, EPOCH_MAX, type Epoch } from '@daos/common';

import type { Container } from '../container_state.js';
import type { DtxHandle } from '../dtx/handle.js';
import { Intent } from '../dtx/view.js';
import { LogState } from '../ilog/log_state.js';
import { hash32 } from '../layout/bytes.js';
import { AkeyHead, type DkeyHead, type Head, type ObjectHead } from '../layout/head.js';
import { IndexKey } from '../layout/index_key.js';
import { checkKey } from '../layout/sort_key.js';
import { Space } from '../layout/spaces.js';
import { SPACE_PER_UPDATE_BYTES } from '../space.js';
import { TsLevel } from '../ts/ts_level.js';
import type { VosPunch } from '../types.js';
import { checkWriteEpoch } from './arguments.js';
import { VosFlag } from './flags.js';
import { checkSound } from './sound.js';
import { TS_SEED } from './update_space.js';
import { WriteScope } from './write_scope.js';

/** A key at the level that is punched. */
interface Target {
  head: Head | undefined;
  readonly state: LogState;
  tsPlace: number;
}

/**
 * One punch: hides everything at or below its epoch under an object, a dkey or akeys. What does not exist is
 * made, with the punch in its log, so that an older write that comes later stays hidden.
 */
export class Punch {
  private readonly atObject = new LogState();
  private readonly atDkey = new LogState();
  private readonly sibling = new LogState();
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();
  private readonly scope: WriteScope;

  constructor(private readonly container: Container) {
    this.scope = new WriteScope(container, Intent.PUNCH);
  }

  /**
   * Resolves when the punch is durable. DER_NONEXIST when `Cond.PUNCH` asks for what does not exist; in a transaction
   * also DER_TX_RESTART and DER_INPROGRESS.
   */
  run(request: VosPunch, handle?: DtxHandle): Promise<void> {
    const { dkey, akeys, epoch, flags, flavours } = request;
    checkWriteEpoch(epoch);
    if (dkey) checkKey('dkey', dkey, flavours.dkey);
    else if (akeys) throw new DaosError('INVAL', 'akeys without their dkey');
    if (akeys?.length === 0) throw new DaosError('INVAL', 'an empty list of akeys');
    for (const akey of akeys ?? []) checkKey('akey', akey, flavours.akey);
    if (akeys && flavours.isFlat) throw new DaosError('INVAL', 'an object without akeys: punch its dkeys');
    const { space, umem } = this.container.store;
    space.checkPunch(SPACE_PER_UPDATE_BYTES * (1 + (akeys?.length ?? 0)));
    const isReplay = (flags & VosFlag.REPLAY_PUNCH) !== 0;
    this.scope.begin(epoch, handle, isReplay);
    try {
      if (!dkey) this.punchObject(request);
      else if (!akeys) this.punchDkey(request, dkey);
      else this.punchAkeys(request, dkey, akeys, isReplay);
      this.scope.succeed();
    } catch (error) {
      throw this.scope.fail(error);
    }
    return umem.durable();
  }

  private punchObject(request: VosPunch): void {
    const { scope } = this;
    const target = this.findObject(request);
    if (request.flags & Cond.PUNCH) scope.reads(TsLevel.OBJECT);
    this.check(request, 'object', target, true);
    scope.checkConflict(TsLevel.OBJECT, this.writeBound(request));
    scope.apply(request.oid, undefined);
    if (scope.handle) scope.handle.mustCommitNow = true;
    scope.log(this.touched(this.objectFor(request, target)), true);
  }

  private punchDkey(request: VosPunch, key: Uint8Array): void {
    const { scope } = this;
    const object = this.findObject(request);
    this.parse(object);
    const target = this.findDkey(request, object.head as ObjectHead | undefined, key);
    if (request.flags & Cond.PUNCH) scope.reads(TsLevel.DKEY);
    this.check(request, 'dkey', target, object.state.exists);
    scope.checkConflict(TsLevel.DKEY, this.writeBound(request));
    scope.apply(request.oid, key);
    const parent = this.touched(this.objectFor(request, object));
    scope.log(this.dkeyFor(request, parent, target, key), true);
  }

  private punchAkeys(request: VosPunch, key: Uint8Array, akeys: readonly Uint8Array[], isReplay: boolean): void {
    const { scope, container } = this;
    const { heads } = container.store;
    const { flavours } = request;
    const object = this.findObject(request);
    this.parse(object);
    const dkey = this.findDkey(request, object.head as ObjectHead | undefined, key);
    this.parse(dkey);
    const dkeyExists = object.state.exists && dkey.state.exists;
    const targets = akeys.map((akey): Target => {
      const head = dkey.head && heads.findAkey(dkey.head.no, akey, flavours.akey);
      return { head, state: new LogState().reset(this.atDkey), tsPlace: scope.touch(TsLevel.AKEY, head, hash32(akey, TS_SEED)) };
    });
    if (request.flags & Cond.PUNCH) scope.reads(TsLevel.AKEY);
    for (const target of targets) this.check(request, 'akey', target, dkeyExists);
    const becomesEmpty = dkeyExists && !isReplay && !this.hasOtherAkey(dkey.head as DkeyHead, targets);
    if (becomesEmpty) scope.reads(TsLevel.DKEY);
    scope.checkConflict(becomesEmpty ? TsLevel.DKEY : TsLevel.AKEY, this.writeBound(request));
    scope.apply(request.oid, key);
    const parent = this.touched(this.objectFor(request, object));
    const head = this.dkeyFor(request, parent, dkey, key);
    akeys.forEach((akey, i) => {
      const { head: known, tsPlace } = targets[i] as Target;
      // an akey named twice was made by the first mention
      const found = known ?? heads.findAkey(head.no, akey, flavours.akey);
      const own = found ?? heads.newAkey(head.no, akey, flavours.akey);
      if (!found) {
        scope.created(tsPlace, own);
        heads.modified(own);
      }
      scope.log(own, true);
    });
    // created at this very epoch: it stays, empty
    const { epoch, minor, identity } = scope;
    if (becomesEmpty && head.log.mayWrite({ epoch, minor, isPunch: true, owner: identity })) scope.log(head, true);
  }

  private findObject({ oid }: VosPunch): Target {
    const { scope, container } = this;
    const { heads } = container.store;
    scope.touch(TsLevel.CONTAINER, container, container.no);
    const head = heads.findObject(container.no, oid);
    container.checkWritable(head, scope);
    const tsPlace = scope.touch(TsLevel.OBJECT, head, heads.objectHash(container.no, oid));
    return { head, state: this.atObject.reset(undefined), tsPlace };
  }

  private findDkey({ flavours }: VosPunch, object: ObjectHead | undefined, key: Uint8Array): Target {
    const head = object && this.container.store.heads.findDkey(object.no, key, flavours.dkey);
    const tsPlace = this.scope.touch(TsLevel.DKEY, head, hash32(key, TS_SEED));
    return { head, state: this.atDkey.reset(this.atObject), tsPlace };
  }

  private objectFor({ oid }: VosPunch, { head, tsPlace }: Target): ObjectHead {
    if (head) return head as ObjectHead;
    const { container, scope } = this;
    const made = container.store.heads.newObject(container.no, oid);
    scope.created(tsPlace, made);
    container.objectMade(scope);
    return made;
  }

  private dkeyFor({ flavours }: VosPunch, object: ObjectHead, { head, tsPlace }: Target, key: Uint8Array): DkeyHead {
    if (head) return head as DkeyHead;
    const { heads } = this.container.store;
    const made = heads.newDkey(object.no, key, flavours.dkey);
    this.scope.created(tsPlace, made);
    heads.modified(made);
    return made;
  }

  private parse({ head, state }: Target): void {
    if (!head) return;
    checkSound(head);
    head.log.parse(this.scope.epoch, this.scope.bound, this.scope.view, state);
  }

  /** Everything that can refuse the punch of one key. */
  private check({ flags }: VosPunch, what: string, target: Target, parentExists: boolean): void {
    const { epoch, minor, identity } = this.scope;
    this.parse(target);
    const { state, head } = target;
    if (state.uncertainCreate !== 0n) throw new DaosError('TX_RESTART', `the ${what} may have been created before this operation`);
    if (flags & Cond.PUNCH) {
      if (state.isUndecided) {
        throw new DaosError('INPROGRESS', `whether the ${what} exists depends on a transaction that is not decided yet`);
      }
      if (!parentExists || !state.exists) throw new DaosError('NONEXIST', `the ${what} does not exist`);
    }
    head?.log.decide({ epoch, minor, isPunch: true, owner: identity });
  }

  /** No write may be hidden that came later: a punch in a transaction is unsure of everything newer. */
  private writeBound({ flags }: VosPunch): Epoch {
    const { handle, bound } = this.scope;
    return handle?.isReal && !(flags & VosFlag.REPLAY_PUNCH) ? EPOCH_MAX : bound;
  }

  /** True when an akey that is not punched now is left; DER_INPROGRESS when that depends on an open transaction. */
  private hasOtherAkey(dkey: DkeyHead, targets: readonly Target[]): boolean {
    const { heads, umem } = this.container.store;
    const { epoch, bound, view } = this.scope;
    heads.writeBack();
    const from = this.from.space(Space.AKEY).u48(dkey.no);
    const to = this.to.space(Space.AKEY).u48(dkey.no).toPrefixEnd();
    let undecided: DaosError | undefined;
    for (const { key, value } of umem.range({ from, to })) {
      if (targets.some(({ head }) => head && Buffer.compare(head.indexKey, key) === 0)) continue;
      const state = this.sibling.reset(this.atDkey);
      AkeyHead.logOf(value).parse(epoch, bound, view, state);
      if (state.create !== 0n) return true;
      if (state.uncommitted !== 0n) undecided = new DaosError('INPROGRESS', 'whether the dkey is empty depends on a transaction that is not decided yet');
    }
    if (undecided) throw undecided;
    return false;
  }

  private touched(object: ObjectHead): ObjectHead {
    const { epoch } = this.scope;
    this.container.wrote(epoch);
    if (epoch > object.maxWrite) object.maxWrite = epoch;
    this.container.store.heads.modified(object);
    return object;
  }
}
