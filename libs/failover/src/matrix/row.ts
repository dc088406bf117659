import type { ByHandName } from './by-hand.js';
import type { ActionName, AlertType, BlockerName } from './facts.js';
import type { Situation } from './situation.js';
import type { WindowKind } from './windows.js';

/** One named part of a row's condition; explain shows the first that fails. */
export type Clause = Readonly<{ says: string; holds: (s: Situation) => boolean }>;

/** `at-once`, or `held`: after the row matched for 3p + t, because votes arrive up to p apart. */
export type RowAlert = Readonly<{ type: AlertType; due: 'at-once' | 'held' }>;

/** One rule of a matrix. A row matches on its condition alone; its window only delays its action. */
export type Row = Readonly<{
  id: number;
  name: string;
  sentence: string; // what an operator reads
  when: readonly Clause[]; // all must hold; empty: everything else
  window: WindowKind | null;
  /** What it wants in mode `auto`; `approve` turns a failover into a proposal. */
  action: ActionName;
  /** The action is wanted only if this holds; otherwise the row holds and pages. */
  actsOnlyIf: Clause | null;
  blockers: readonly BlockerName[];
  alerts: readonly RowAlert[];
  byHand: ByHandName; // what a person may order here
  note: string; // for the generated document
}>;

export const matches = (row: Row, s: Situation): boolean => row.when.every((c) => c.holds(s));

/** The first clause that does not hold; null: the row matches. */
export const failedClause = (row: Row, s: Situation): Clause | null => row.when.find((c) => !c.holds(s)) ?? null;

/** What the row wants once window and blockers allow, gates apart. */
export function wantedBy(row: Row, s: Situation): ActionName {
  if (row.actsOnlyIf !== null && !row.actsOnlyIf.holds(s)) return 'hold';
  return row.action === 'failover' && s.snapshot.group.mode === 'approve' ? 'propose' : row.action;
}
