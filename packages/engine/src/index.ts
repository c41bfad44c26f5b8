export { IdleWatch } from './idle_watch.js';
export { RasId, RasSeverity, RasType, raiseRas, type RasNotice } from './ras.js';
export { startEngine } from './start_engine.js';
export { tlsKey } from './tls_key.js';
export type {
  AutoFaulty,
  DrpcMethodHandler,
  EngineInfo,
  EngineModule,
  EngineOptions,
  ModuleInstance,
  ModuleSpecifier,
  RunningEngine,
  StandaloneOptions,
  TlsKey,
  Xstream,
} from './types.js';
