#!/usr/bin/env node
import { runMain } from '../dist/src/run_main.js';
import { main } from '../dist/src/vos_perf.js';

await runMain('vos_perf', main);
