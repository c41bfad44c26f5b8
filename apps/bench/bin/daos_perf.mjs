#!/usr/bin/env node
import '../dist/src/daos_perf.js';
