// npm run demo -- DIR: copies DIR into a new system, kills every process, restarts, copies it out and compares.
import { checkNode, ensureBuilt, ensureInstalled } from './lib/workspace.mjs';

checkNode();
ensureInstalled();
ensureBuilt();
process.argv.splice(2, 0, 'demo');
await import('../apps/local/dist/src/main.js');
