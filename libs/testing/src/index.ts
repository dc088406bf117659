export * from './config-center-memory.js';
export * from './rpc-arbitraries.js';
