// npm start: installs and builds what is missing, then runs a DAOS system in the foreground.
import { checkNode, ensureBuilt, ensureInstalled } from './lib/workspace.mjs';

checkNode();
ensureInstalled();
ensureBuilt();
process.argv.splice(2, 0, 'start');
await import('../apps/local/dist/src/main.js');
