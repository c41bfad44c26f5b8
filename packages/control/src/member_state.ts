/** States of a rank in the system; index 0 has no bit, index n has bit 2^(n-1). */
export const MEMBER_STATES = [
  'Unknown',
  'AwaitFormat',
  'Starting',
  'Ready',
  'Joined',
  'Stopping',
  'Stopped',
  'Excluded',
  'Errored',
  'Unresponsive',
  'AdminExcluded',
  'CheckerStarted',
] as const;

export type MemberState = (typeof MEMBER_STATES)[number];

/** Every state that a member can be in. */
export const MEMBER_STATE_MASK_ALL = 0x7ff;

/** Bit of a state in a filter mask; 0 for `Unknown`. */
export function memberStateBit(state: MemberState): number {
  const index = MEMBER_STATES.indexOf(state);
  return index === 0 ? 0 : 1 << (index - 1);
}

/** The state with this name in any case, or undefined. */
export function memberStateByName(name: string): MemberState | undefined {
  const wanted = name.trim().toLowerCase();
  return MEMBER_STATES.find((state) => state.toLowerCase() === wanted);
}

/** Parses `joined,stopped` to a filter mask; undefined with the first name that is no state of a member. */
export function parseMemberStates(text: string): { mask: number } | { invalid: string } {
  let mask = 0;
  for (const part of text.split(',')) {
    const state = memberStateByName(part);
    if (state === undefined || state === 'Unknown') return { invalid: part.trim() };
    mask |= memberStateBit(state);
  }
  return { mask };
}
