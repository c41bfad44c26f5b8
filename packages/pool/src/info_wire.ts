import { DaosError, type Uuid } from '@daos/common';

import type { PoolQueryResult, PoolTargetInfo, PoolTargetState, PoolTierSpace } from './types.js';

/** A query's answer as it travels: media and states by number. */
export interface WireInfo extends Omit<PoolQueryResult, 'label' | 'tiers' | 'rebuild'> {
  readonly uuid: Uuid;
  readonly label?: string | undefined;
  readonly tiers: readonly (Omit<PoolTierSpace, 'mediaType'> & { readonly mediaType: number })[];
}

const MEDIA = ['scm', 'nvme'] as const;
/** Numbered as in DAOS's query of targets. */
const STATES: readonly PoolTargetState[] = ['unknown', 'down_out', 'down', 'up', 'up_in', 'new', 'drain'];

export function infoToWire({ rebuild: _rebuild, tiers, label, ...info }: PoolQueryResult): WireInfo {
  const wireTiers = tiers.map((tier) => ({ ...tier, mediaType: MEDIA.indexOf(tier.mediaType) }));
  return { ...info, tiers: wireTiers, ...(label === undefined ? {} : { label }) };
}

export function infoFromWire(info: WireInfo): PoolQueryResult {
  return {
    ...info,
    label: info.label,
    tiers: info.tiers.map((tier) => ({ ...tier, mediaType: named(MEDIA, tier.mediaType, 'medium') })),
    rebuild: { version: 0, state: 'idle', errorStatus: 0, objects: 0, records: 0 },
  };
}

export function targetStateToWire(state: PoolTargetState): number {
  return STATES.indexOf(state);
}

export function targetInfoFromWire(
  info: Omit<PoolTargetInfo, 'state'> & { readonly state: number },
): PoolTargetInfo {
  return { ...info, state: named(STATES, info.state, 'target state') };
}

function named<T>(names: readonly T[], number: number, what: string): T {
  const name = names[number];
  if (name === undefined) throw new DaosError('PROTO', `unknown ${what} ${number}`);
  return name;
}
