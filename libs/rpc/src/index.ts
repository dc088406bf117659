export * from './live-certificates.js';
export * from './messages.js';
export * from './protocol.js';
export * from './session.mapping.js';
export * from './transport.js';
export { UNUSABLE_AGE_MS } from './wire.js';
export {
  AgentServiceService,
  type AgentServiceServer,
  SessionRequest,
  SessionResponse,
} from './generated/pointsman/agent/v1/agent.js';
