import type { EventBody } from '../api/types.js';
import { cut, padEnd, padStart } from './text.js';

/** `  1041  2026-11-20T14:02:31Z  orders    decision   410  …`: one line an event. */
export const eventLine = (e: EventBody, columns: number): string => {
  const at = `${e.at.slice(0, 19)}Z`;
  const row = e.row === null ? '' : String(e.row);
  const head = `${padStart(String(e.seq), 6)}  ${at}  ${padEnd(e.group ?? '-', 10)}  ${padEnd(e.type, 10)}  ${padEnd(row, 3)}`;
  return cut(`${head}  ${e.summary}`, columns);
};
