import { nsToHlc, type Epoch } from '@daos/common';
import { getLogger } from '@daos/gurt';

/** Minimum age of what is aggregated, in seconds. */
export const AGG_GAP_VARIABLE = 'DAOS_VOS_AGG_GAP';
const GAP_SECONDS_MIN = 20;
const GAP_SECONDS_MAX = 180;

const log = getLogger('cont');

/** Span of epochs at the end of history that is left alone. A value out of range counts as none. */
export function aggregationGap(environment: NodeJS.ProcessEnv = process.env): Epoch {
  return secondsToEpochs(gapSeconds(environment[AGG_GAP_VARIABLE]));
}

export function secondsToEpochs(seconds: number): Epoch {
  return nsToHlc(BigInt(Math.round(seconds * 1e9)));
}

function gapSeconds(text: string | undefined): number {
  if (text === undefined) return GAP_SECONDS_MIN;
  const seconds = /^\d+$/.test(text) ? Number(text) : NaN;
  if (seconds >= GAP_SECONDS_MIN && seconds <= GAP_SECONDS_MAX) return seconds;
  log.warn(
    `${AGG_GAP_VARIABLE}=${text} is not ${GAP_SECONDS_MIN} to ${GAP_SECONDS_MAX} seconds: ${GAP_SECONDS_MIN} are used`,
  );
  return GAP_SECONDS_MIN;
}
