export * from './port.js';
export * from './errors.js';
export { formatPointer, parsePointer, parsePointerText, pointerSchema, samePointer } from './pointer-schema.js';
export { checkPublication, checkTerm, explainRefusal } from './guard.js';
export type { PublishGuard } from './guard.js';
export { createWatchFilter } from './watch-filter.js';
export { SqlConfigCenter } from './sql/sql-config-center.js';
export type { SqlConfigCenterOptions } from './sql/sql-config-center.js';
export { POINTER_TABLE_DDL } from './sql/sql-schema.js';
