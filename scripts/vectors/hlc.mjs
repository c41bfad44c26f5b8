// Conversions of the hybrid logical clock.
import {
  HLC_EPSILON_DEFAULT,
  hlcEpsilonBound,
  hlcEpsilonRound,
  hlcToNs,
  hlcToUnixNs,
  nsToHlc,
  timespecToHlc,
  unixNsToHlc,
} from '../../packages/common/dist/src/index.js';
import { byKind, pick } from './lib.mjs';

const NS_PER_SECOND = 1_000_000_000n;

export const families = {
  hlc: byKind({
    from_hlc: (row) => {
      const hlc = BigInt(row.hlc);
      const unixNs = hlcToUnixNs(hlc);
      return {
        want: pick(row, ['nsec', 'unixNsec', 'timespec', 'sec', 'epsilonBound']),
        got: {
          nsec: String(hlcToNs(hlc)),
          unixNsec: String(unixNs),
          timespec: [String(unixNs / NS_PER_SECOND), Number(unixNs % NS_PER_SECOND)],
          sec: String(hlcToNs(hlc) / NS_PER_SECOND),
          epsilonBound: String(hlcEpsilonBound(hlc)),
        },
      };
    },
    unixnsec2hlc: (row) => ({ want: row.hlc, got: String(unixNsToHlc(BigInt(row.unixNsec))) }),
    nsec2hlc: (row) => ({ want: row.hlc, got: String(nsToHlc(BigInt(row.nsec))) }),
    timespec2hlc: (row) => ({
      want: row.hlc,
      got: String(timespecToHlc(BigInt(row.timespec[0]), BigInt(row.timespec[1]))),
    }),
    epsilon_default: (row) => ({ want: row.epsilon, got: String(HLC_EPSILON_DEFAULT) }),
    epsilon_set: (row) => {
      const epsilon = hlcEpsilonRound(BigInt(row.set));
      return {
        want: [row.epsilon, row.bound],
        got: [String(epsilon), String(hlcEpsilonBound(BigInt(row.boundOfHlc), epsilon))],
      };
    },
  }),
};
