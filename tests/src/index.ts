export { WORKSPACE, hasStackTrace, runCommand, type CommandOptions, type CommandResult } from './commands.js';
export { TempSystem } from './temp_system.js';
