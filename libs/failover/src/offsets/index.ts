export * from './choose-position.js';
export * from './gap-watch.js';
export * from './history-codec.js';
export * from './naming.js';
export { DEFAULT_HISTORY_LIMITS, type HistoryLimits, SyncHistory } from './sync-history.js';
export type * from './translate-command.js';
export * from './translate.js';
