export * from './matrix/facts.js';
export * from './saga/effects.js';
export * from './saga/types.js';
