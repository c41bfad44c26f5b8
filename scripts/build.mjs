// npm run build
import { build, checkNode, ensureInstalled } from './lib/workspace.mjs';

checkNode();
ensureInstalled();
build();
