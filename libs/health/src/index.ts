export * from './age-report.js';
export * from './assess.js';
export * from './fold.js';
export * from './judge-sample.js';
export * from './merge-votes.js';
export * from './settings.js';
export * from './types.js';
export * from './verdict.js';
