export { OffsetKeeper } from './offset-keeper.js';
