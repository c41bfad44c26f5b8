export {
  ConfigError,
  loadConfig,
  parseConfig,
  type ConfigErrorKind,
  type ConfigProblem,
  type ConfigSchema,
} from './config_file.js';
export { Fault, findFault, type FaultFields } from './fault.js';
