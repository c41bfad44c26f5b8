import { hostname } from 'node:os';

import { faultBadFaultDomain, faultTooManyLayers } from './config_faults.js';

const LEVELS_MAX = 2;

/**
 * Where a server stands in the data centre: `/rack1/host7`. Every level is lower case; levels may carry labels
 * (`rack=rack1`), on all levels or on none.
 */
export class FaultDomain {
  constructor(readonly levels: readonly string[]) {}

  /** Throws a fault (717, 724) that says what is wrong. */
  static parse(text: string): FaultDomain {
    const path = text.trim();
    if (!path.startsWith('/')) throw faultBadFaultDomain('fault path must start with root (/)');
    const levels = path.slice(1).split('/').map(parseLevel);
    if (levels.length > LEVELS_MAX) throw faultTooManyLayers();
    const labelled = levels.filter((level) => level.includes('=')).length;
    if (labelled !== 0 && labelled !== levels.length) {
      throw faultBadFaultDomain('either all levels have labels or none');
    }
    return new FaultDomain(levels);
  }

  /** `/<short host name>`. */
  static ofHost(host: string = hostname()): FaultDomain {
    const short = host.split('.')[0]?.toLowerCase() ?? '';
    if (short === '') throw faultBadFaultDomain('the host has no usable name');
    return new FaultDomain([short]);
  }

  get depth(): number {
    return this.levels.length;
  }

  toString(): string {
    return `/${this.levels.join('/')}`;
  }
}

function parseLevel(text: string): string {
  const level = text.trim().replaceAll(/["']/g, '').toLowerCase();
  if (level === '') throw faultBadFaultDomain('empty level');
  const parts = level.split('=');
  if (parts.length > 2 || parts.some((part) => part.trim() === '')) {
    throw faultBadFaultDomain(`bad level "${text}"`);
  }
  return parts.map((part) => part.trim()).join('=');
}
