export { PlainWriter } from '../../../tools/load/plain-writer.js';
