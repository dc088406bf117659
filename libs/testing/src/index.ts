export * from './config-center-memory.js';
