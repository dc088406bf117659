import type { Ms } from '#health';
import type { ActionName, Decision } from '../matrix/facts.js';
import type { Expectation } from './scenario.js';

/** One tick of a phase as the checks see it. */
export type Tick = Readonly<{ sinceMs: Ms; decision: Decision }>; // since the phase began

const MOVES: ReadonlySet<ActionName> = new Set(['failover', 'propose', 'unfence', 'start-rejoin']);

type Check = (e: Expectation, ticks: readonly Tick[], last: Decision, active: string) => string | null;

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

const equal = <T extends string | number | boolean>(what: string, want: T | undefined, got: T): string | null =>
  want === undefined || want === got ? null : `${what}: expected ${want}, got ${got}`;

const exactly = (what: string, want: readonly string[] | undefined, got: readonly string[]): string | null =>
  want === undefined || same([...want].sort(), [...got].sort())
    ? null
    : `${what}: expected [${want.join(', ')}], got [${got.join(', ')}]`;

function atLeast<T>(what: string, want: readonly T[] | undefined, got: readonly T[]): string | null {
  const missing = (want ?? []).filter((x) => !got.includes(x));
  return missing.length === 0 ? null : `${what}: missing ${missing.join(', ')}, got [${got.join(', ')}]`;
}

function rowsInOrder(ticks: readonly Tick[]): readonly number[] {
  const rows: number[] = [];
  for (const t of ticks) if (rows.at(-1) !== t.decision.row) rows.push(t.decision.row);
  return rows;
}

/** Nothing may move unless the phase says so: a scenario that forgets to look still fails on an act. */
const acted: Check = (e, ticks) => {
  const first = ticks.find((t) => MOVES.has(t.decision.action));
  const wanted = e.acts;
  if (wanted === undefined) {
    const allowed = e.action !== undefined && MOVES.has(e.action);
    if (allowed || first === undefined) return null;
    return `acted: ${first.decision.action} at ${first.sinceMs} ms by row ${first.decision.row}, nothing was expected`;
  }
  if (first === undefined) return `acted: expected ${wanted.action}, nothing acted`;
  const inTime = first.sinceMs >= wanted.fromMs && first.sinceMs <= wanted.toMs;
  if (first.decision.action === wanted.action && inTime) return null;
  return `acted: expected ${wanted.action} in ${wanted.fromMs}–${wanted.toMs} ms, got ${first.decision.action} at ${first.sinceMs} ms`;
};

const CHECKS: readonly Check[] = [
  (e, _t, d) => equal('row', e.row, d.row),
  (e, _t, d) => equal('action', e.action, d.action),
  (e, _t, d) => equal('wouldDo', e.wouldDo, d.wouldDo),
  (e, _t, d) => exactly('gates', e.gates, d.gate),
  (e, _t, d) =>
    exactly(
      'blockers',
      e.blockers,
      d.blockers.map((b) => b.name),
    ),
  (e, _t, d) => atLeast('alerts', e.alerts, d.alerts),
  (e, _t, d) =>
    exactly(
      'unwanted alerts',
      [],
      (e.noAlerts ?? []).filter((a) => d.alerts.includes(a)),
    ),
  (e, _t, d) => atLeast('also', e.also, d.also),
  (e, _t, d, active) => equal('verdict', e.verdict, d.verdicts[active]?.name ?? 'none'),
  (e, _t, d) => equal('fit', e.fit, d.targetFit.fit),
  (e, _t, d) => equal('window', e.windowMs, d.window?.lengthMs ?? 0),
  (e, ticks) =>
    e.rows === undefined || same(e.rows, rowsInOrder(ticks))
      ? null
      : `rows: expected ${e.rows.join(' → ')}, got ${rowsInOrder(ticks).join(' → ')}`,
  acted,
];

/** What of the expectation did not come true; empty: all did. */
export function checkPhase(expected: Expectation | null, ticks: readonly Tick[], active: string): readonly string[] {
  const last = ticks.at(-1);
  if (last === undefined) return ['the phase is shorter than a tick'];
  return CHECKS.map((check) => check(expected ?? {}, ticks, last.decision, active)).filter((f) => f !== null);
}
