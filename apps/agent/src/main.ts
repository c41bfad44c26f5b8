import { runCliProcess } from '@daos/control/cli';

import { PROGRAM, withDefaultVerb } from './program.js';

process.argv.splice(2, Infinity, ...withDefaultVerb(process.argv.slice(2)));
await runCliProcess(PROGRAM);
