export { type Attempt, PlainWriter } from '../../../tools/load/plain-writer.js';
