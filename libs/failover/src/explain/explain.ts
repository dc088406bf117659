import type { ClusterName, Seat } from '#health';
import { selfFenceView } from '../fencing/self-fence.js';
import type { Decision, Policy, Snapshot } from '../matrix/facts.js';
import { GATES } from '../matrix/gates.js';
import { failedClause, type Row } from '../matrix/row.js';
import { type Situation, situationOf } from '../matrix/situation.js';
import { tableOf } from '../matrix/tables.js';
import type { ClusterExplanation, Explanation, VoteExplanation, WindowExplanation } from './explanation.js';

/** RFC 3339 without an ambient clock: the instant comes from the snapshot. */
const instant = (unixMs: number): string => new Date(unixMs).toISOString();

const short = (ms: number): string => {
  const s = ms / 1000;
  return `${Number.isInteger(s) ? s : s.toFixed(1)} s`;
};

function voteOf(seat: Seat, fresh: readonly string[]): VoteExplanation {
  const { vote } = seat;
  return {
    idc: seat.idc,
    agent: vote.agent,
    role: seat.own ? 'own' : seat.witness ? 'witness' : 'outsider',
    vote: vote.kind === null ? vote.state : `${vote.state}/${vote.kind}`,
    counts: fresh.includes(vote.agent),
    ageMs: vote.ageMs,
    failingForMs: vote.failingForMs,
    marks: vote.marks,
    reasons: vote.reasons,
    fields: vote.fields,
  };
}

function clusterOf(s: Situation, cluster: ClusterName): ClusterExplanation {
  const verdict = s.verdicts[cluster];
  return {
    cluster,
    role: cluster === s.source.name ? 'active' : cluster === s.target?.name ? 'target' : 'member',
    verdict: verdict?.name ?? 'UNKNOWN',
    cutPairs: verdict?.cutPairs ?? [],
    votes: (s.seats[cluster] ?? []).map((seat) => voteOf(seat, verdict?.fresh ?? [])),
  };
}

function windowOf(snapshot: Snapshot, decision: Decision): WindowExplanation | null {
  const w = decision.window;
  if (w === null) return null;
  const full = w.dueInMs === 0;
  const waits = snapshot.graceOver ? 'two fresh snapshots a probe period apart' : 'the grace after start';
  return {
    fillMs: w.fillMs,
    lengthMs: w.lengthMs,
    dueInMs: w.dueInMs,
    deadline: instant(snapshot.wallNow + (w.startedAtMs + w.lengthMs - snapshot.now)),
    complete: w.complete,
    text: `${(w.fillMs / 1000).toFixed(1)} s of ${short(w.lengthMs)}`,
    waitsFor: full && !w.complete ? waits : null,
  };
}

function rowsAbove(table: readonly Row[], s: Situation, row: number): Explanation['rowsAbove'] {
  const above = table.slice(
    0,
    table.findIndex((r) => r.id === row),
  );
  return above.map((r) => ({ id: r.id, name: r.name, failed: failedClause(r, s)?.says ?? 'nothing: it matches' }));
}

function pauseIn({ group: { pause }, wallNow }: Snapshot): NonNullable<Explanation['pause']> | null {
  if (pause === null || pause.expiresInMs <= 0) return null;
  const { owner, reason, expiresInMs, everywhere = false } = pause;
  return { owner, reason, until: instant(wallNow + expiresInMs), everywhere };
}

function scheduledIn({ group }: Snapshot): NonNullable<Explanation['scheduled']> | null {
  if (group.scheduled == null) return null;
  const { id, act, target, at, by, reason } = group.scheduled;
  return { id, act, target, at, by, reason };
}

/**
 * Explains a decision with the code that made it, now or for a stored event (all three arguments are plain JSON).
 * Throws RangeError only for a snapshot whose active cluster is no member of the group.
 */
export function explain(snapshot: Snapshot, policy: Policy, decision: Decision): Explanation {
  const s = situationOf(snapshot, policy);
  const table = tableOf(policy);
  const members = [s.source, ...snapshot.group.clusters.filter((c) => c.name !== s.source.name)];
  return {
    group: snapshot.group.name,
    at: instant(snapshot.wallNow),
    term: snapshot.term,
    epoch: snapshot.group.epoch,
    active: s.source.name,
    target: decision.target,
    mode: snapshot.group.mode,
    leading: snapshot.leading,
    row: { id: decision.row, name: decision.name, sentence: decision.state },
    action: decision.action,
    wouldDo: decision.wouldDo,
    alerts: decision.alerts,
    gates: GATES.filter((g) => decision.gate.includes(g.name)).map(({ name, sentence }) => ({ name, sentence })),
    rowsAbove: rowsAbove(table, s, decision.row),
    also: table.filter((r) => decision.also.includes(r.id)).map(({ id, name }) => ({ id, name })),
    clusters: members.map((c) => clusterOf(s, c.name)),
    window: windowOf(snapshot, decision),
    blockers: decision.blockers,
    fitness: decision.targetFit,
    selfFence: selfFenceView(snapshot, decision, policy),
    pause: pauseIn(snapshot),
    scheduled: scheduledIn(snapshot),
    loss: decision.loss,
    reasons: decision.reasons,
  };
}
