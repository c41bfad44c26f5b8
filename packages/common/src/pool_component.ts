/** Layers of a pool map; a parent's number is larger than its children's. */
export const ComponentType = {
  TARGET: 0,
  RANK: 1,
  NODE: 2,
  /** First of the administrator's layers above nodes. */
  FAULT: 3,
  /** Performance domain ("group"). */
  PERF: 200,
  /** Largest type below the root. */
  MAX: 254,
  ROOT: 255,
} as const;

/** Status of a component: one bit, so that sets of them are masks. */
export const ComponentStatus = {
  UNKNOWN: 0,
  /** Known, not used. */
  NEW: 1,
  /** Being filled: receives writes, serves no reads. */
  UP: 2,
  UPIN: 4,
  /** Failed, its data is being rebuilt elsewhere. */
  DOWN: 8,
  /** Failed for good: its data lives elsewhere. */
  DOWNOUT: 16,
  /** Still serving while its data is copied away. */
  DRAIN: 32,
} as const;

export const ComponentFlag = {
  /** DOWNOUT came from DOWN, not from DRAIN. */
  DOWN2OUT: 1,
  /** Reintegrated before its exclusion was finished. */
  DOWN2UP: 2,
} as const;

const STATUS_NAMES: Readonly<Record<number, string>> = {
  0: 'UNKNOWN',
  1: 'NEW',
  2: 'UP',
  4: 'UP_IN',
  8: 'DOWN',
  16: 'DOWN_OUT',
  32: 'DRAIN',
};

/** Name of a status as tools print it. */
export function componentStatusName(status: number): string {
  return STATUS_NAMES[status] ?? 'UNKNOWN';
}

/** Status bit of a name in any case; undefined for an unknown name. */
export function componentStatusParse(name: string): number | undefined {
  const entry = Object.entries(STATUS_NAMES).find(([, known]) => known === name.toUpperCase());
  return entry ? Number(entry[0]) : undefined;
}

/** A domain or target as the pool map stores it. */
export interface PoolComponent {
  readonly type: number;
  readonly status: number;
  /** Target: place inside its rank. */
  readonly index: number;
  /** Unique in its layer; a rank's id is its rank number. */
  readonly id: number;
  /** Rank number of ranks and targets. */
  readonly rank: number;
  /** Map version that created the component. */
  readonly version: number;
  /** Map version at which it last became DOWN or DRAIN; 1 when it never failed. */
  readonly failSeq: number;
  /** DOWNOUT: version at which the exclusion was finished; else version at which it last came in. */
  readonly inOutVersion: number;
  readonly flags: number;
  /** Direct children; 1 for a target. */
  readonly childCount: number;
}

/** Bytes of a stored component. */
export const COMPONENT_BYTES = 32;

export function componentWrite(view: DataView, at: number, component: PoolComponent): void {
  view.setUint8(at, component.type);
  view.setUint8(at + 1, component.status);
  view.setUint8(at + 2, component.index & 0xff);
  const words = [
    component.id,
    component.rank,
    component.version,
    component.failSeq,
    component.inOutVersion,
    component.flags,
    component.childCount,
  ];
  words.forEach((word, i) => view.setUint32(at + 4 + 4 * i, word, true));
}

export function componentRead(view: DataView, at: number): PoolComponent {
  const word = (i: number): number => view.getUint32(at + 4 + 4 * i, true);
  return {
    type: view.getUint8(at),
    status: view.getUint8(at + 1),
    index: view.getUint8(at + 2),
    id: word(0),
    rank: word(1),
    version: word(2),
    failSeq: word(3),
    inOutVersion: word(4),
    flags: word(5),
    childCount: word(6),
  };
}
