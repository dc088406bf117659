export * from './clock.js';
export * from './config/duration.js';
export * from './config/load-config-file.js';
export * from './config/secret.js';
export * from './ids.js';
export * from './logger.js';
export * from './shutdown.js';
export * from './version.js';
