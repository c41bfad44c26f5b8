// npm run bench: a one-minute selection of vos_perf and daos_perf, printed beside DAOS's own figures.
import { checkNode, ensureBuilt, ensureInstalled } from './lib/workspace.mjs';

checkNode();
ensureInstalled();
ensureBuilt();
await import('../apps/bench/dist/src/selection.js');
