export type {
  DrpcMethodHandler,
  EngineInfo,
  EngineModule,
  ModuleInstance,
  TlsKey,
  Xstream,
} from './types.js';
