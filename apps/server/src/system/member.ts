import { memberStateBit, type MemberState } from '@daos/control';

/** "No rank": what a server sends for an engine that never joined. */
export const RANK_NONE = 0xffff_ffff;

/** An engine as the management service knows it. */
export interface Member {
  readonly rank: number;
  readonly uuid: string;
  /** HLC of the engine's last start, decimal. */
  readonly incarnation: string;
  /** Control address of its server, `ip:port`. */
  readonly address: string;
  readonly fabricUri: string;
  readonly fabricContexts: number;
  readonly state: MemberState;
  /** Why it is in its state, for the administrator. */
  readonly info: string;
  /** `/rack1/host7`, without the rank's own level. */
  readonly faultDomain: string;
  /** RFC 3339. */
  readonly lastUpdate: string;
}

const AVAILABLE: ReadonlySet<MemberState> = new Set(['Ready', 'Joined']);
const LEFT_OUT: ReadonlySet<MemberState> = new Set(['AwaitFormat', 'Excluded', 'AdminExcluded']);

/** May hold new pools. */
export function isAvailable(member: Member): boolean {
  return AVAILABLE.has(member.state);
}

/** Has no place in the group map. Errored and Stopped members keep theirs: they may come back. */
export function isLeftOutOfGroup(member: Member): boolean {
  return LEFT_OUT.has(member.state);
}

/** From a state, the states that may not follow. `true`: none may. */
const FORBIDDEN: Partial<Record<MemberState, readonly MemberState[] | true>> = {
  Unknown: true,
  AdminExcluded: true,
  AwaitFormat: ['Excluded'],
  Starting: ['Excluded'],
  Ready: ['Excluded'],
  Joined: ['Ready'],
  Errored: ['Ready', 'Joined', 'Stopping'],
  Unresponsive: ['Ready', 'Joined', 'Stopping'],
  CheckerStarted: ['Ready', 'Joined'],
  Excluded: ['Errored', 'Stopping', 'Stopped', 'Starting', 'Ready', 'Unresponsive'],
};

/** Whether a report may move a member from one state to another. Join and administrative exclusion do not ask. */
export function isLegalTransition(from: MemberState, to: MemberState): boolean {
  const forbidden = FORBIDDEN[from];
  if (from === to || forbidden === true) return false;
  return !forbidden?.includes(to);
}

/** True when the mask is 0 (no filter) or holds the member's state. */
export function matchesStateMask(member: Member, mask: number): boolean {
  return mask === 0 || (memberStateBit(member.state) & mask) !== 0;
}
