export {
  ConfigError,
  loadConfig,
  parseConfig,
  type ConfigErrorKind,
  type ConfigProblem,
  type ConfigSchema,
} from './config_file.js';
