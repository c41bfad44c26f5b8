import { DaosError } from './error.js';
import { ComponentFlag, ComponentStatus, ComponentType, componentStatusName, type PoolComponent } from './pool_component.js';
import { PoolMap } from './pool_map.js';

/** What can happen to targets of a pool; the numbers are DAOS's. */
export const MapOp = {
  /** Failed or taken away: DOWN until its data is rebuilt elsewhere. */
  EXCLUDE: 0,
  DRAIN: 1,
  REINT: 2,
  /** New targets start to be filled. */
  EXTEND: 3,
  ADD_IN: 4,
  EXCLUDE_OUT: 5,
  FINISH_REBUILD: 6,
  REVERT_REBUILD: 7,
} as const;
export type MapOp = (typeof MapOp)[keyof typeof MapOp];

export interface MapUpdate {
  readonly map: PoolMap;
  /** Version of the last change, which names the rebuild to schedule; 0: nothing changed. */
  readonly changedVersion: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type MutableComponent = Mutable<PoolComponent>;

const { NEW, UP, UPIN, DOWN, DOWNOUT, DRAIN } = ComponentStatus;

/** What an operation makes of a status: a new status, `skip`, or the error that refuses the whole request. */
const TRANSITIONS: Readonly<Record<MapOp, Readonly<Record<number, number | 'BUSY' | 'NOSYS'>>>> = {
  [MapOp.EXCLUDE]: { [NEW]: 'NOSYS', [UP]: DOWN, [UPIN]: DOWN },
  [MapOp.DRAIN]: { [NEW]: 'BUSY', [UP]: 'BUSY', [UPIN]: DRAIN },
  [MapOp.REINT]: { [NEW]: 'BUSY', [DOWN]: UP, [DOWNOUT]: UP, [DRAIN]: 'BUSY' },
  [MapOp.EXTEND]: { [NEW]: UP, [DOWN]: 'BUSY', [DOWNOUT]: 'BUSY', [DRAIN]: 'BUSY' },
  [MapOp.ADD_IN]: { [UP]: UPIN },
  [MapOp.EXCLUDE_OUT]: { [DOWN]: DOWNOUT, [DRAIN]: DOWNOUT },
  [MapOp.FINISH_REBUILD]: { [UP]: UPIN, [DOWN]: DOWNOUT, [DRAIN]: DOWNOUT },
  [MapOp.REVERT_REBUILD]: { [UP]: UP, [DRAIN]: UPIN },
};

/** A map under change: copies of the components, and the version that the next change gets. */
class Draft {
  readonly domains: MutableComponent[];
  readonly targets: MutableComponent[];
  version: number;

  constructor(private readonly map: PoolMap) {
    this.domains = map.domains.map(plain);
    this.targets = map.targets.map(plain);
    this.version = map.version;
  }

  finish(): PoolMap {
    return PoolMap.fromComponents([...this.domains.slice(1), ...this.targets], this.version);
  }

  parentOf(domain: number): number {
    return this.map.domains[domain]?.parent ?? -1;
  }

  /** True when every child of a domain is DOWN or DOWNOUT. */
  allChildrenDown(position: number): boolean {
    const domain = this.map.domains[position];
    if (!domain) return false;
    const children = domain.type === ComponentType.RANK ? this.targets : this.domains;
    const slice = children.slice(domain.childStart, domain.childStart + domain.childCount);
    return slice.every((child) => (child.status & (DOWN | DOWNOUT)) !== 0);
  }
}

function plain(component: PoolComponent): MutableComponent {
  const { type, status, index, id, rank, version, failSeq, inOutVersion, flags, childCount } = component;
  return { type, status, index, id, rank, version, failSeq, inOutVersion, flags, childCount };
}

/**
 * Applies an operation to targets, each change at a version of its own, and to the domains above that follow. Targets
 * for which the operation means nothing are left alone. `excludeRank`: a failure was detected, so that ranks go down
 * with their targets.
 * Throws DER_NONEXIST for an unknown target, DER_BUSY or DER_NOSYS for one in the wrong state; then nothing changes.
 */
export function poolMapUpdate(map: PoolMap, op: MapOp, targetIds: readonly number[], options: { excludeRank?: boolean } = {}): MapUpdate {
  const draft = new Draft(map);
  for (const id of targetIds) {
    const position = map.targetById(id)?.position;
    const target = position === undefined ? undefined : draft.targets[position];
    if (position === undefined || !target) throw new DaosError('NONEXIST', `the pool has no target ${id}`);
    const next = TRANSITIONS[op][target.status];
    if (next === undefined) continue;
    if (typeof next === 'string') {
      const state = componentStatusName(target.status);
      throw new DaosError(next, `target ${id} is ${state}, operation ${op} does not apply`);
    }
    changeTarget(draft, op, target, next);
    const rank = map.targets[position]?.parent ?? -1;
    changeDomains(draft, op, rank, options.excludeRank === true);
  }
  if (draft.version === map.version) return { map, changedVersion: 0 };
  return { map: draft.finish(), changedVersion: draft.version };
}

function changeTarget(draft: Draft, op: MapOp, target: MutableComponent, next: number): void {
  const before = target.status;
  const version = ++draft.version;
  if (op === MapOp.REVERT_REBUILD && before === UP) {
    revertTarget(target, version);
    return;
  }
  target.status = next;
  if (before === DRAIN && next === UPIN) {
    target.failSeq = 0;
    return;
  }
  if (next === DOWN || next === DRAIN) target.failSeq = version;
  else target.inOutVersion = version;
  if (next === UP && before === DOWN) target.flags = ComponentFlag.DOWN2UP;
  if (next === UPIN) target.flags = 0;
  if (next === DOWNOUT && before === DOWN) target.flags = ComponentFlag.DOWN2OUT;
}

/** Back to where it came from: a new target to NEW, a returning one to DOWN or DOWNOUT. */
function revertTarget(target: MutableComponent, version: number): void {
  if (target.failSeq === 1) {
    target.status = NEW;
    target.inOutVersion = 0;
    return;
  }
  target.status = target.flags & ComponentFlag.DOWN2UP ? DOWN : DOWNOUT;
  target.inOutVersion = version;
}

/** The rank of a changed target and the domains above it, bottom up; all of them together cost one version. */
function changeDomains(draft: Draft, op: MapOp, rank: number, excludeRank: boolean): void {
  const rankDomain = draft.domains[rank];
  const next = rankDomain ? domainStatus(op, rankDomain, excludeRank) : undefined;
  if (next === undefined) return;
  const version = draft.version;
  for (let position = rank; position > 0; position = draft.parentOf(position)) {
    const domain = draft.domains[position];
    if (!domain || !applies(draft, position, domain.status, next)) break;
    const before = domain.status;
    domain.status = next;
    draft.version = version + 1;
    if (next === UP) {
      domain.inOutVersion = version;
      if (before === DOWN) domain.flags = ComponentFlag.DOWN2UP;
    } else if (next === UPIN) domain.inOutVersion = version;
    else if (next === NEW) domain.inOutVersion = 0;
    else if (next === DOWN && op !== MapOp.REVERT_REBUILD) domain.failSeq = version;
    else if (next === DOWNOUT && before === DOWN) domain.flags = ComponentFlag.DOWN2OUT;
  }
}

/** Status that an operation on one of its targets gives a rank, if any. */
function domainStatus(op: MapOp, rank: PoolComponent, excludeRank: boolean): number | undefined {
  switch (op) {
    case MapOp.REINT:
    case MapOp.EXTEND:
      return UP;
    case MapOp.EXCLUDE:
      return excludeRank ? DOWN : undefined;
    case MapOp.FINISH_REBUILD:
      if (rank.status === UP) return UPIN;
      return excludeRank && rank.status === DOWN ? DOWNOUT : undefined;
    case MapOp.REVERT_REBUILD:
      if (rank.status !== UP) return undefined;
      if (rank.failSeq === 1) return NEW;
      return rank.flags & ComponentFlag.DOWN2UP ? DOWN : DOWNOUT;
    default:
      return undefined;
  }
}

function applies(draft: Draft, position: number, before: number, next: number): boolean {
  if (next === UP) return before === NEW || before === DOWN || before === DOWNOUT;
  if (next === UPIN || next === NEW) return before === UP;
  return before !== next && draft.allChildrenDown(position);
}
