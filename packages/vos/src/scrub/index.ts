export { SCRUB_DISABLED_VARIABLE, scrubLoop } from './loop.js';
export { scrubWaitMs } from './pace.js';
export { Scrubber, type PassResult, type ScrubberOptions } from './scrubber.js';
export { ScrubMode, type ScrubContainer, type ScrubObject, type ScrubSettings, type ScrubSource, type ScrubValue } from './source.js';
export { SCRUB_METRICS, ScrubStatistics, type ScrubCount, type ScrubMetric } from './statistics.js';
