import { poolOpen } from '../src/open_shards.js';
import { apply } from './durability_workload.js';
import { BUSY_TUNING } from './fixture.js';

/** Writes until it is killed, and says on standard output which updates are durable. */
const [dir = '', uuid = '', containerUuid = '', first = '1'] = process.argv.slice(2);
const IN_FLIGHT = 24;

// every other run makes checkpoints all the time, so that kills fall into them
const tuning = process.argv[6] === 'busy' ? { ...BUSY_TUNING, checkpointEntries: 200, sliceEntries: 50, logBytesMax: 1 << 20 } : undefined;
const pool = await poolOpen({ dir, uuid }, tuning);
const container = pool.containerOpen(containerUuid);
let next = Number(first);
process.stdout.write('ready\n');
await Promise.all(
  Array.from({ length: IN_FLIGHT }, async () => {
    for (;;) {
      const n = next++;
      await apply(container, n);
      process.stdout.write(`${n}\n`);
    }
  }),
);
