export { CALL_TIMEOUT_MS as DRPC_CALL_TIMEOUT_MS, DrpcClient, drpcCall, type DrpcCallOptions } from './client.js';
export { DrpcStatus } from './message.js';
export { DrpcModule, MgmtMethod, SecAgentMethod, SecMethod, SrvMethod } from './methods.js';
export { DrpcRegistry, type DrpcHandler } from './registry.js';
export { DrpcServer, type DrpcServerOptions } from './server.js';
