export {
  InterruptedError,
  UsageError,
  VerbFailure,
  type CliArgument,
  type CliGroup,
  type CliOption,
  type CliOutput,
  type CliProgram,
  type CliVerb,
  type VerbContext,
  type VerbResult,
} from './definition.js';
export { jsonText } from './json_text.js';
export { parseCommandLine, type ParsedCommand } from './parser.js';
export { runCli, runCliProcess, type CliStreams } from './run.js';
