import { DaosError } from '@daos/common';

import { ContainerHandle } from '../container.js';
import type { Container } from '../container_state.js';
import type { DtxHandle } from '../dtx/handle.js';
import { LogState } from '../ilog/log_state.js';
import { EMPTY, hash32 } from '../layout/bytes.js';
import type { AkeyHead, Head } from '../layout/head.js';
import { checkKey } from '../layout/sort_key.js';
import { ReadScope } from '../ops/read_scope.js';
import { checkSound } from '../ops/sound.js';
import { TS_SEED } from '../ops/update_space.js';
import { PoolHandle } from '../pool.js';
import { TsLevel } from '../ts/ts_level.js';
import { IterContext } from './context.js';
import { DtxLevel } from './dtx_level.js';
import { AKEYS, ContainerLevel, DKEYS, KeyLevel, OBJECTS } from './key_level.js';
import type { Level, Parent } from './level.js';
import { recxLevel } from './recx_level.js';
import { SingleLevel } from './single_level.js';
import { VosIterType, type VosIterParams } from './types.js';

/** A level, and how to open those below its entries. */
export interface OpenedLevel {
  readonly level: Level;
  readonly context: IterContext | undefined;
}

/**
 * The level that an iteration begins with; undefined when what is above it does not exist. DER_INVAL when the path does
 * not fit the type, DER_DATA_LOSS when something on it is marked as corrupt.
 */
export function openLevel(params: VosIterParams, type: VosIterType, handle: DtxHandle | undefined): OpenedLevel | undefined {
  if (type === VosIterType.COUUID) return { level: new ContainerLevel(poolUmem(params)), context: undefined };
  const { container } = params;
  if (!(container instanceof ContainerHandle)) throw new DaosError('INVAL', 'an iteration below a container, without an open container');
  const context = new IterContext(() => container.open(), params, handle);
  if (type === VosIterType.DTX) return { level: new DtxLevel(context), context };
  const parent = new ParentSearch(context, params, handle).find(type);
  return parent && { level: levelBelow(context, type, parent), context };
}

export function levelBelow(context: IterContext, type: VosIterType, parent: Parent): Level {
  switch (type) {
    case VosIterType.OBJ:
      return new KeyLevel(context, OBJECTS, parent);
    case VosIterType.DKEY:
      return new KeyLevel(context, DKEYS, parent);
    case VosIterType.AKEY:
      return new KeyLevel(context, AKEYS, parent);
    case VosIterType.SINGLE:
      return new SingleLevel(context, parent);
    case VosIterType.RECX:
      return recxLevel(context, parent);
    default:
      throw new DaosError('INVAL', `nothing of type ${type} lies below a container's levels`);
  }
}

function poolUmem({ pool }: VosIterParams): () => PoolHandle['store']['umem'] {
  if (!(pool instanceof PoolHandle)) throw new DaosError('INVAL', 'an iteration over containers, without an open pool');
  return () => pool.store.umem;
}

/** Goes down to the parent of a level, and leaves in the timestamp cache that all below it is read. */
class ParentSearch {
  private readonly container: Container;
  private readonly scope: ReadScope;
  private state = new LogState();

  constructor(
    private readonly context: IterContext,
    private readonly params: VosIterParams,
    private readonly handle: DtxHandle | undefined,
  ) {
    this.container = context.container;
    this.scope = new ReadScope(this.container);
  }

  find(type: VosIterType): Parent | undefined {
    const { scope, context } = this;
    scope.begin(context.range.hi, this.handle);
    try {
      const parent = this.parentOf(type);
      scope.reads(type === VosIterType.OBJ ? TsLevel.CONTAINER : type === VosIterType.DKEY ? TsLevel.OBJECT : type === VosIterType.AKEY ? TsLevel.DKEY : TsLevel.AKEY);
      scope.checkCertain();
      scope.succeed();
      return parent;
    } catch (error) {
      throw scope.fail(error);
    }
  }

  private parentOf(type: VosIterType): Parent | undefined {
    const { container, params, scope } = this;
    const { heads } = container.store;
    if (type === VosIterType.OBJ) return { no: container.no, state: this.state, objectPunch: 0n, indexKey: EMPTY };
    const { oid, flavours, dkey, akey } = params;
    if (!oid || !flavours) throw missing('object, and flavours of its keys');
    const object = heads.findObject(container.no, oid);
    scope.touch(TsLevel.OBJECT, object, heads.objectHash(container.no, oid));
    if (!this.sees(object)) return undefined;
    const objectPunch = this.state.punch.epoch;
    if (type === VosIterType.DKEY) return this.parent(object, objectPunch);
    if (!dkey) throw missing('dkey');
    checkKey('dkey', dkey, flavours.dkey);
    const dkeyHead = heads.findDkey(object.no, dkey, flavours.dkey);
    scope.touch(TsLevel.DKEY, dkeyHead, hash32(dkey, TS_SEED));
    if (!this.sees(dkeyHead)) return undefined;
    if (type === VosIterType.AKEY) return this.parent(dkeyHead, objectPunch);
    if (!akey) throw missing('akey');
    checkKey('akey', akey, flavours.akey);
    const akeyHead = heads.findAkey(dkeyHead.no, akey, flavours.akey);
    scope.touch(TsLevel.AKEY, akeyHead, hash32(akey, TS_SEED));
    if (!this.sees(akeyHead) || !isOfKind(akeyHead, type)) return undefined;
    return this.parent(akeyHead, objectPunch);
  }

  private parent(head: Head, objectPunch: bigint): Parent {
    return { no: head.no, state: this.state, objectPunch, indexKey: head.indexKey };
  }

  private sees<H extends Head>(head: H | undefined): head is H {
    if (!head) return false;
    const { context } = this;
    if (!context.showsEverything) checkSound(head);
    const state = new LogState().reset(this.state);
    head.log.parse(context.range.hi, context.bound, context.view, state);
    this.state = state;
    const isShown = state.create !== 0n || (context.showsUncommitted && state.uncommitted !== 0n);
    return isShown || context.showsPunched;
  }
}

/** Asked for the other kind of value, an akey is as if empty. */
function isOfKind(akey: AkeyHead, type: VosIterType): boolean {
  return AKEYS.childOf(Uint8Array.of(...new Uint8Array(12), akey.kind)) === type;
}

function missing(what: string): DaosError {
  return new DaosError('INVAL', `an iteration without ${what}`);
}
