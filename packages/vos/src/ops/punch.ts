import { Cond, DaosError, type Epoch } from '@daos/common';

import { AkeyHead, type DkeyHead, type ObjectHead } from '../layout/head.js';
import { MINOR_MAX, PunchMark } from '../layout/incarnation_log.js';
import { IndexKey } from '../layout/index_key.js';
import { checkKey } from '../layout/sort_key.js';
import { Space } from '../layout/spaces.js';
import { SPACE_PER_UPDATE_BYTES } from '../space.js';
import type { Store } from '../store.js';
import type { VosPunch } from '../types.js';
import { checkWriteEpoch } from './arguments.js';

/**
 * One punch: hides everything at or below its epoch under an object, a dkey or akeys. What does not exist is
 * made, with the punch in its log, so that an older write that comes later stays hidden.
 */
export class Punch {
  private readonly punch = new PunchMark();
  private readonly akeyPunch = new PunchMark();
  private readonly from = new IndexKey();
  private readonly to = new IndexKey();

  constructor(
    private readonly store: Store,
    private readonly container: number,
  ) {}

  /** Resolves when the punch is durable. DER_NONEXIST when `Cond.PUNCH` asks for what does not exist. */
  run(request: VosPunch): Promise<void> {
    const { dkey, akeys, epoch } = request;
    checkWriteEpoch(epoch);
    if (dkey) checkKey('dkey', dkey, request.flavours.dkey);
    else if (akeys) throw new DaosError('INVAL', 'akeys without their dkey');
    if (akeys?.length === 0) throw new DaosError('INVAL', 'an empty list of akeys');
    for (const akey of akeys ?? []) checkKey('akey', akey, request.flavours.akey);
    this.store.space.checkPunch(SPACE_PER_UPDATE_BYTES * (1 + (akeys?.length ?? 0)));
    this.punchAt(request);
    return this.store.umem.durable();
  }

  private punchAt(request: VosPunch): void {
    const { heads } = this.store;
    const { epoch, flavours } = request;
    const punch = this.punch.reset();
    const object = heads.findObject(this.container, request.oid);
    const objectExists = object !== undefined && object.log.visibleAt(epoch, punch) !== 0n;
    if (!request.dkey) {
      this.refuse(request, 'object', objectExists);
      object?.log.checkPunch(epoch, MINOR_MAX);
      const head = this.touched(object ?? heads.newObject(this.container, request.oid), epoch);
      head.log.punch(epoch, MINOR_MAX);
      return;
    }
    const dkey = object && heads.findDkey(object.no, request.dkey, flavours.dkey);
    const dkeyExists = dkey !== undefined && dkey.log.visibleAt(epoch, punch) !== 0n && objectExists;
    if (request.akeys) return this.punchAkeys(request, object, dkey, dkeyExists);
    this.refuse(request, 'dkey', dkeyExists);
    dkey?.log.checkPunch(epoch, MINOR_MAX);
    const parent = this.touched(object ?? heads.newObject(this.container, request.oid), epoch);
    const head = dkey ?? heads.newDkey(parent.no, request.dkey, flavours.dkey);
    head.log.punch(epoch, MINOR_MAX);
    heads.modified(head);
  }

  private punchAkeys(
    request: VosPunch,
    object: ObjectHead | undefined,
    dkey: DkeyHead | undefined,
    dkeyExists: boolean,
  ): void {
    const { heads } = this.store;
    const { epoch, flavours, akeys = [] } = request;
    const found = akeys.map((key) => dkey && heads.findAkey(dkey.no, key, flavours.akey));
    for (const head of found) {
      this.refuse(request, 'akey', head !== undefined && this.exists(head, epoch) && dkeyExists);
      head?.log.checkPunch(epoch, MINOR_MAX);
    }
    const parent = this.touched(object ?? heads.newObject(this.container, request.oid), epoch);
    const dkeyHead = dkey ?? heads.newDkey(parent.no, request.dkey as Uint8Array, flavours.dkey);
    if (!dkey) heads.modified(dkeyHead);
    akeys.forEach((key, i) => {
      // an akey named twice was made by the first mention
      const head = found[i] ?? heads.findAkey(dkeyHead.no, key, flavours.akey) ?? heads.newAkey(dkeyHead.no, key, flavours.akey);
      head.log.punch(epoch, MINOR_MAX);
      heads.modified(head);
    });
    if (dkeyExists && !this.hasAkey(dkeyHead, epoch)) this.propagate(dkeyHead, epoch);
  }

  /** A dkey without any akey left is punched with its last one. */
  private propagate(dkey: DkeyHead, epoch: Epoch): void {
    // created at this very epoch: it stays, empty
    if (!dkey.log.mayPunch(epoch, MINOR_MAX)) return;
    dkey.log.punch(epoch, MINOR_MAX);
    this.store.heads.modified(dkey);
  }

  private hasAkey(dkey: DkeyHead, epoch: Epoch): boolean {
    this.store.heads.writeBack();
    const from = this.from.space(Space.AKEY).u48(dkey.no);
    const to = this.to.space(Space.AKEY).u48(dkey.no).toPrefixEnd();
    for (const { value } of this.store.umem.range({ from, to })) {
      this.inheritPunch();
      if (AkeyHead.logOf(value).visibleAt(epoch, this.akeyPunch) !== 0n) return true;
    }
    return false;
  }

  private exists(head: AkeyHead, epoch: Epoch): boolean {
    this.inheritPunch();
    return head.log.visibleAt(epoch, this.akeyPunch) !== 0n;
  }

  private inheritPunch(): void {
    this.akeyPunch.epoch = this.punch.epoch;
    this.akeyPunch.minor = this.punch.minor;
  }

  private refuse({ flags }: VosPunch, what: string, exists: boolean): void {
    if (!exists && flags & Cond.PUNCH) throw new DaosError('NONEXIST', `the ${what} does not exist`);
  }

  private touched(object: ObjectHead, epoch: Epoch): ObjectHead {
    if (epoch > object.maxWrite) object.maxWrite = epoch;
    this.store.heads.modified(object);
    return object;
  }
}
