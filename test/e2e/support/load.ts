export { Load, type LoadStats } from '../../../tools/load/load.js';
