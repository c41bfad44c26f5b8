import { runCliProcess } from '@daos/control/cli';

import { PROGRAM } from './program.js';

await runCliProcess(PROGRAM);
