#!/usr/bin/env node
import { main } from '../dist/src/placement_perf.js';
import { runMain } from '../dist/src/run_main.js';

await runMain('placement_perf', main);
