export { Agent, SOCKET_NAME as AGENT_SOCKET_NAME } from './agent.js';
export { defaultAgentConfig, loadAgentConfig, type AgentConfig } from './config.js';
