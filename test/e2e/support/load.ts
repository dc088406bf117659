export { Load } from '../../../tools/load/load.js';
