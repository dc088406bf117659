export { verifyAuditChain } from './audit-chain.js';
