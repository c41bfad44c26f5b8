/** Opens a shard and keeps it: open_child DIR UUID. */
import { vosPoolOpen } from '../src/index.js';

const [, , dir = '', uuid = ''] = process.argv;
await vosPoolOpen({ dir, uuid });
console.log('open');
setInterval(() => undefined, 1000);
