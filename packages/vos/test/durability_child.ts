import { vosPoolOpen } from '../src/index.js';
import { apply } from './durability_workload.js';

/** Writes until it is killed, and says on standard output which updates are durable. */
const [dir = '', uuid = '', containerUuid = '', first = '1'] = process.argv.slice(2);
const IN_FLIGHT = 24;

const pool = await vosPoolOpen({ dir, uuid });
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
