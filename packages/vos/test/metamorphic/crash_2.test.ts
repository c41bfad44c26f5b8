import { describeCrashes } from './crash_suite.js';

describeCrashes(2);
