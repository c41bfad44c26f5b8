#!/usr/bin/env node
import { launch } from '../../../packages/control/scripts/launch.mjs';

await launch(import.meta.url);
