import { contModuleWith } from '@daos/container/ds';

import { secondsToEpochs } from '../src/ds/aggregate/gap.js';

/** Containers whose history is aggregated after a second instead of twenty. */
export const fastContModule = contModuleWith({
  gap: secondsToEpochs(1),
  timing: { roundMs: 100, pressureRoundMs: 20, busyRestMs: 5 },
});
