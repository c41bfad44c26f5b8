#!/usr/bin/env node
import '../dist/src/vos_perf.js';
