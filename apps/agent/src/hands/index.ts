export { AgentHands } from './agent-hands.js';
