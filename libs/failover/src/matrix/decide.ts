import { closedGates } from './gates.js';
import { findBlockers } from './blockers.js';
import { alertsDue } from './alerts.js';
import type { ActionName, Blocker, Decision, Memory, Policy, Snapshot, WindowState } from './facts.js';
import { flowBetween, judgeLag, lagAsOf, type LagJudgement, readingOf } from './lag.js';
import { loopReason, provedLoop, rememberLoop } from './flow-loop.js';
import { lossOf } from './loss.js';
import { reasonsOf } from './reasons.js';
import { matches, type Row, wantedBy } from './row.js';
import { type Situation, situationOf } from './situation.js';
import { tableOf } from './tables.js';
import { outageStart, windowOf } from './windows.js';

type Matched = Readonly<{ row: Row; also: readonly number[]; ids: readonly number[] }>;

function match(table: readonly Row[], s: Situation): Matched {
  const found = table.filter((row) => matches(row, s));
  const row = found[0];
  if (row === undefined) throw new RangeError('the table has no last row that matches everything');
  // The row without conditions is "everything else": it is no second opinion beside another row.
  const ids = found.filter((r) => r === row || r.when.length > 0).map((r) => r.id);
  return { row, also: ids.slice(1), ids };
}

function conditionSince(s: Situation, ids: readonly number[]): Memory['conditionSinceMs'] {
  const before = s.memory.conditionSinceMs;
  return Object.fromEntries(ids.map((id) => [String(id), before[String(id)] ?? s.snapshot.now]));
}

type LagAtStart = Readonly<{ judgement: LagJudgement; kept: Memory['lagAtStart'] }>;

/** The lag as of the start of the outage; kept in memory, so that a long hold does not lose it. */
export function lagAtStart(s: Situation, row: Row): LagAtStart {
  const { snapshot, policy, memory, target, source } = s;
  if (row.blockers.length === 0) {
    const answering = s.verdict.name === 'UP' || s.verdict.name === 'DEGRADED';
    return { judgement: s.lagNow, kept: answering ? null : memory.lagAtStart };
  }
  if (row.window === 'partition') return { judgement: s.lagNow, kept: null };
  const t0Ms = outageStart(s, row.window === 'gray');
  const current = target === null ? null : readingOf(flowBetween(snapshot, source.name, target.name), snapshot.now);
  const reading = lagAsOf(t0Ms, memory, current, policy, snapshot.probe.periodMs);
  return { judgement: judgeLag(reading, policy), kept: reading === null ? memory.lagAtStart : { t0Ms, reading } };
}

/** Gates beat windows, windows beat blockers; nothing fires before the grace after start is over. */
function actionOf(
  s: Situation,
  wanted: ActionName,
  gated: boolean,
  window: WindowState | null,
  blockers: readonly Blocker[],
): ActionName {
  if (gated) return 'none';
  if (wanted === 'none' || wanted === 'alert' || wanted === 'hold') return wanted;
  if (!s.snapshot.graceOver) return 'hold';
  if (window !== null && !window.complete) return 'hold';
  return blockers.length > 0 ? 'hold' : wanted;
}

/**
 * The decision of one tick: a pure function, the same answer for the same input for ever. The caller keeps
 * `nextMemory` and puts it into the next snapshot. Throws RangeError only for a group whose active cluster is no member.
 */
export function decide(snapshot: Snapshot, policy: Policy): Decision {
  const observed = situationOf(snapshot, policy);
  const { row, also, ids } = match(tableOf(policy), observed);
  const before = observed.memory.conditionSinceMs;
  const conditionSinceMs = { ...conditionSince(observed, ids), ...rememberLoop(snapshot, before) };
  const s: Situation = { ...observed, memory: { ...observed.memory, conditionSinceMs } };
  const loop = provedLoop(snapshot, s.memory);
  const window = row.window === null ? null : windowOf(s, row.window, row.id);
  const lag = lagAtStart(s, row);
  const gate = closedGates(s);
  const wouldDo = wantedBy(row, s);
  const blockers = findBlockers(row.blockers, { situation: s, lag: lag.judgement, wanted: wouldDo });
  const action = actionOf(s, wouldDo, gate.length > 0, window, blockers);
  return {
    gate,
    row: row.id,
    name: row.name,
    state: row.sentence,
    action,
    wouldDo,
    alerts: alertsDue(s, row, also, { blockers, wouldDo, action, windowFull: window?.complete === true }),
    also,
    reasons: [...(loop.length === 0 ? [] : [loopReason(loop)]), ...reasonsOf(s, row, lag.judgement)],
    blockers,
    ...(loop.length === 0 ? {} : { flowLoop: loop }),
    window,
    target: s.target?.name ?? null,
    targetFit: s.fitness,
    verdicts: s.verdicts,
    loss: lossOf(s, row, lag.judgement),
    nextMemory: { ...s.memory, lagAtStart: lag.kept },
  };
}
