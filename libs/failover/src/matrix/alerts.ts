import type { ActionName, AlertType, Blocker } from './facts.js';
import { provedLoop } from './flow-loop.js';
import type { Row } from './row.js';
import type { Situation } from './situation.js';
import { tableOf } from './tables.js';

type Outcome = Readonly<{
  blockers: readonly Blocker[];
  wouldDo: ActionName;
  action: ActionName;
  windowFull: boolean;
}>;

type CrossAlert = Readonly<{ type: AlertType; due: (s: Situation, row: Row, o: Outcome) => boolean }>;

const misconfiguredFor = (s: Situation): boolean =>
  Object.values(s.seats).some((seats) => seats.some((seat) => seat.vote.marks.includes('MISCONFIGURED')));

/** Alerts that belong to no single row. */
const CROSS_ALERTS: readonly CrossAlert[] = [
  // I21: a blocked decision pages at once, with blocker and lifting call in the decision.
  { type: 'held', due: (_s, _row, o) => o.blockers.length > 0 },
  // A row that will not act by policy pages when its window is full: before that it may be the passage to another row.
  { type: 'held', due: (_s, row, o) => row.window !== null && o.wouldDo === 'hold' && o.windowFull },
  { type: 'needs_operator', due: (_s, _row, o) => o.action === 'propose' },
  { type: 'misconfigured', due: misconfiguredFor },
  { type: 'misconfigured', due: (s) => provedLoop(s.snapshot, s.memory).length > 0 }, // I37
  { type: 'frozen', due: (s) => s.snapshot.group.frozen !== null },
];

/**
 * Alerts due at this tick, of the matched row and of every other row that matches, so that one does not hide another's.
 * None before the grace after start is over: a controller that has just begun to listen knows nothing yet.
 */
export function alertsDue(s: Situation, row: Row, also: readonly number[], outcome: Outcome): readonly AlertType[] {
  if (!s.snapshot.graceOver) return [];
  const due = new Set<AlertType>();
  for (const r of tableOf(s.policy)) {
    if (r !== row && !also.includes(r.id)) continue;
    const heldFor = s.snapshot.now - (s.memory.conditionSinceMs[String(r.id)] ?? s.snapshot.now);
    for (const alert of r.alerts) if (alert.due === 'at-once' || heldFor >= s.heldMs) due.add(alert.type);
  }
  for (const cross of CROSS_ALERTS) if (cross.due(s, row, outcome)) due.add(cross.type);
  return [...due];
}
