export * from './choices.js';
export * from './loss.js';
export * from './resolver.js';
export * from './seam.js';
