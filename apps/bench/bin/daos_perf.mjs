#!/usr/bin/env node
import { main } from '../dist/src/daos_perf.js';
import { runMain } from '../dist/src/run_main.js';

await runMain('daos_perf', main);
