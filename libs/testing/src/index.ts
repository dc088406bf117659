export * from './command-arbitraries.js';
export * from './config-center-memory.js';
export * from './rpc-arbitraries.js';
export * from './scripted-broker.js';
export * from './snapshot.js';
