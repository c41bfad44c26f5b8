/** Levels of DAOS's log, lowest first. */
export const LogLevel = {
  DEBUG: 1,
  INFO: 2,
  NOTE: 3,
  WARN: 4,
  ERR: 5,
  CRIT: 6,
  ALRT: 7,
  EMRG: 8,
  EMIT: 9,
} as const;
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

/** How a level starts its line; every name has four characters. */
const LINE_NAMES = ['', 'DBUG', 'INFO', 'NOTE', 'WARN', 'ERR ', 'CRIT', 'ALRT', 'EMRG', 'EMIT'] as const;

const LEVEL_BY_WORD = new Map<string, LogLevel>([
  ['DEBUG', 1], ['DBUG', 1], ['INFO', 2], ['NOTE', 3], ['WARN', 4], ['ERR', 5], ['ERROR', 5],
  ['CRIT', 6], ['ALRT', 7], ['EMRG', 8], ['FATAL', 8], ['EMIT', 9],
]);

/** Facilities that stay on whatever DD_SUBSYS says. */
const ALWAYS_ON = new Set(['mem', 'misc', 'clog']);

/** Facilities known to DAOS; masks that name another are reported and skipped. */
export const LOG_FACILITIES = [
  'misc', 'mem', 'swim', 'fi', 'telem', 'crt', 'rpc', 'bulk', 'corpc', 'grp', 'lm', 'hg', 'external', 'st', 'iv',
  'ctl', 'daos', 'array', 'kv', 'common', 'tree', 'vos', 'client', 'server', 'rdb', 'rsvc', 'pool', 'container',
  'object', 'placement', 'rebuild', 'mgmt', 'bio', 'tests', 'dfs', 'duns', 'drpc', 'security', 'dtx', 'chk',
  'dfuse', 'il', 'csum', 'pipeline', 'stack', 'ddb', 'control', 'agent', 'clog',
] as const;

export function logLevelLineName(level: LogLevel): string {
  return LINE_NAMES[level];
}

/** Level named by a word of a mask, in any case; undefined when unknown. */
export function logLevelParse(word: string): LogLevel | undefined {
  return LEVEL_BY_WORD.get(word.trim().toUpperCase());
}

/** Level from which each facility is logged, read from D_LOG_MASK and DD_SUBSYS. */
export class LogMask {
  private fallback: LogLevel;
  private readonly byFacility = new Map<string, LogLevel>();
  private subsystems: readonly string[] | undefined;

  constructor(fallback: LogLevel) {
    this.fallback = fallback;
  }

  /**
   * Applies a mask such as `ERR,RPC=DEBUG`, left to right. Returns one complaint for each part that names an unknown
   * level or facility; such parts change nothing.
   */
  apply(mask: string): string[] {
    const complaints: string[] = [];
    for (const part of mask.split(',').map((p) => p.trim()).filter((p) => p !== '')) {
      const equals = part.indexOf('=');
      const level = logLevelParse(equals < 0 ? part : part.slice(equals + 1));
      if (level === undefined) {
        complaints.push(`unknown log level in "${part}"`);
      } else if (equals < 0) {
        this.fallback = level;
        this.byFacility.clear();
      } else {
        this.applyFacility(part.slice(0, equals).toLowerCase(), level, complaints);
      }
    }
    return complaints;
  }

  /** Limits logging to facilities that contain one of the listed words; `all` or an empty list lifts the limit. */
  applySubsystems(list: string): void {
    const words = list.toLowerCase().split(/[,:]/).map((w) => w.trim()).filter((w) => w !== '');
    this.subsystems = words.length === 0 || words.includes('all') ? undefined : words;
  }

  levelOf(facility: string): LogLevel {
    if (this.subsystems && !ALWAYS_ON.has(facility) && !this.subsystems.some((w) => facility.includes(w))) {
      return LogLevel.EMIT;
    }
    return this.byFacility.get(facility) ?? this.fallback;
  }

  private applyFacility(facility: string, level: LogLevel, complaints: string[]): void {
    if (facility === 'all') {
      this.fallback = level;
      this.byFacility.clear();
    } else if ((LOG_FACILITIES as readonly string[]).includes(facility)) {
      this.byFacility.set(facility, level);
    } else {
      complaints.push(`unknown log facility "${facility}"`);
    }
  }
}
