/** Statistics and tables of the bench and the soak. */
export { largest, metric, seriesOf } from './exposition.js';
export { growth, median, quantile } from './series.js';
export { fitLine } from './line.js';
export { textTable } from './table.js';
