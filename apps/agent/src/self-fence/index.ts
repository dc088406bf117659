export { SelfFenceKeeper } from './self-fence-keeper.js';
export { SelfFenceMemory } from './self-fence-memory.js';
export type { LeaseToken } from './self-fence-rules.js';
