import type { Decision, Snapshot } from '#failover';

export type Evaluation = Readonly<{ snapshot: Snapshot; decision: Decision }>;
export type Confirmation = Readonly<{ ok: true } | { ok: false; reason: string }>;

/**
 * The matrix once more on a fresh snapshot: still an acting row whose window is full, the same target, no blocker and no
 * gate. Pure reading, before anything is written or sent.
 */
export function confirmFailover(asked: Evaluation, fresh: Evaluation): Confirmation {
  const { decision, snapshot } = fresh;
  if (decision.action !== 'failover')
    return { ok: false, reason: `row ${decision.row} ${decision.name}: ${decision.action}` };
  if (decision.window !== null && !decision.window.complete)
    return { ok: false, reason: 'the window is not full any more' };
  const [blocker] = decision.blockers;
  if (blocker !== undefined) return { ok: false, reason: `${blocker.name}: ${blocker.detail}` };
  const [gate] = decision.gate;
  if (gate !== undefined) return { ok: false, reason: `gate ${gate}` };
  if (decision.target === null) return { ok: false, reason: 'no target' };
  if (decision.target !== asked.decision.target) return { ok: false, reason: 'the target changed' };
  if (snapshot.group.active !== asked.snapshot.group.active) return { ok: false, reason: 'the active cluster changed' };
  return { ok: true };
}
