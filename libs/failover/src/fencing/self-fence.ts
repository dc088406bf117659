import { answers, type ClusterName, type Ms, type Observer, staleAfterMs } from '#health';
import type { Decision, Policy, Snapshot } from '../matrix/facts.js';
import { FENCE_STEP_MS } from '../saga/failover-table.js';
import type { StepTimes } from '../saga/plan.js';

/**
 * The rules of the self-fence: an agent that hears no lease token of a leader for `selfFenceAfter` closes its own cluster.
 * The leader needs no word of it then: it waits until the agent must have done it. Both ends count on their own clocks.
 */

/** How far apart the rates of two machines' monotonic clocks are allowed to be: far above any quartz or hypervisor. */
const CLOCK_DRIFT = 0.01;
/** How often an agent looks whether its token is overdue. */
export const SELF_FENCE_POLL_MS: Ms = 250;
/** How long an armed agent that starts may wait for its first token before it closes its cluster. */
export const START_WAIT_MS: Ms = 2_000;
/** What the step that waits allows for applying the fence. */
const APPLY_ALLOWANCE_MS: Ms = 10_000;
/** Agents look each 500 ms whether a report is due, so two reports are at most p and this apart. */
const REPORT_TICK_MS: Ms = 500;

/**
 * Since the last token was issued: when the cluster is closed at the latest, whatever the agent's clock does. Whole
 * milliseconds, as every deadline in the journal.
 */
export const selfFenceDueMs = (afterMs: Ms, applyMs: Ms): Ms =>
  Math.ceil((afterMs + SELF_FENCE_POLL_MS + START_WAIT_MS + applyMs) * ((1 + CLOCK_DRIFT) / (1 - CLOCK_DRIFT)));

/** Reasons why the leader does not want the active cluster armed; empty: it is to be armed. */
export function armingObstacles(
  { group }: Snapshot,
  { target, targetFit }: Pick<Decision, 'target' | 'targetFit'>,
): readonly string[] {
  return [
    ...(group.mode === 'auto' ? [] : [`mode is ${group.mode}`]),
    ...(group.pause === null ? [] : [`paused by ${group.pause.owner}`]),
    ...(group.frozen === null ? [] : ['the group is frozen']),
    ...(targetFit.fit ? [] : [`${target ?? 'the target'} is not fit`]),
  ];
}

/** What one token says about one group and one cluster of the agent's IDC. No grant: nothing, also no proof of life. */
export type LeaseGrant = Readonly<{
  group: string;
  cluster: ClusterName;
  epoch: number;
  arm: boolean; // false: the self-fence is to be given up, in the agent's own good time
  selfFenceAfterMs: Ms;
}>;

/**
 * The grants of this tick. `failoverFrom`: the source of an open failover: nobody there gets a sign of life from the
 * saga's `open` on, so that the wait for the deadline has begun before the fence is asked for.
 */
export function leaseGrants(
  snapshot: Snapshot,
  decision: Pick<Decision, 'target' | 'targetFit'>,
  policy: Policy,
  failoverFrom: ClusterName | null,
): readonly LeaseGrant[] {
  const { name: group, epoch, active, clusters } = snapshot.group;
  const armed = policy.fencing === 'strict' && armingObstacles(snapshot, decision).length === 0;
  return clusters
    .filter((c) => c.name !== failoverFrom)
    .map(({ name: cluster }) => ({
      ...{ group, cluster, epoch },
      arm: armed && cluster === active,
      selfFenceAfterMs: policy.selfFenceAfterMs,
    }));
}

/** Strict: the step that waits for the fence gives the deadline the time to pass, even if the last token is of this instant. */
export function fenceStepTimes(policy: Policy, times: StepTimes): StepTimes {
  if (policy.fencing !== 'strict') return times;
  const known = times['fence-source'];
  const ownMs = known?.deadlineMs ?? FENCE_STEP_MS;
  return {
    ...times,
    'fence-source': { ...known, deadlineMs: ownMs + selfFenceDueMs(policy.selfFenceAfterMs, APPLY_ALLOWANCE_MS) },
  };
}

export type Armed = Readonly<{ armed: true } | { armed: false; reason: string }>;
const unarmed = (reason: string): Armed => ({ armed: false, reason });

/**
 * Whether the cluster's self-fence can be counted on: its agent's newest report says "armed", and nothing suggests that
 * this agent was gone before its cluster was.
 */
export function armedState(snapshot: Snapshot, cluster: ClusterName): Armed {
  const own = ownObserver(snapshot, cluster);
  if (own === null) return unarmed(`no observer stands beside ${cluster}`);
  if (snapshot.group.armed[cluster] !== true) return unarmed(`${own.agent} has not confirmed a self-fence`);
  if (own.goodbyeAgeMs !== null) return unarmed(`${own.agent} was stopped by plan`);
  return diedFirst(snapshot, cluster, own);
}

/** A cluster that was seen serving after the first report that its agent missed: that agent may be dead, and fences nothing. */
function diedFirst(snapshot: Snapshot, cluster: ClusterName, own: Observer): Armed {
  if (own.ageMs === null) return unarmed(`${own.agent} was never heard`);
  const { periodMs } = snapshot.probe;
  const missedForMs = own.ageMs - periodMs - Math.min(periodMs, REPORT_TICK_MS);
  const servedAgeMs = servedOutside(snapshot, cluster, own);
  if (missedForMs <= 0 || servedAgeMs >= missedForMs) return { armed: true };
  const before = ((missedForMs - servedAgeMs) / 1_000).toFixed(1);
  return unarmed(
    `${own.agent} fell silent ${before} s before ${cluster} was last seen serving: it may have died first`,
  );
}

/** Age of the newest sample from outside the cluster's IDC in which it answered. */
function servedOutside(snapshot: Snapshot, cluster: ClusterName, own: Observer): Ms {
  const outside = snapshot.observers.filter((o) => o.idc !== own.idc);
  const ages = outside.map(({ agent }) => {
    const vote = snapshot.votes[cluster]?.[agent];
    if (vote === undefined) return null;
    return vote.lastAnsweredAgeMs ?? (answers(vote) ? vote.ageMs : null);
  });
  return Math.min(Infinity, ...ages.filter((age) => age !== null));
}

export type SelfFenceJudgement = Readonly<
  | { kind: 'passed'; detail: string } // the cluster is closed, if its agent lives
  | { kind: 'waiting'; leftMs: Ms }
  | { kind: 'none'; reason: string } // nothing can be concluded from a deadline
>;

/**
 * Whether the deadline of the self-fence has passed while the cluster's own agent was silent (I27). While that agent
 * reports, only what it reads back counts.
 */
export function judgeSelfFence(snapshot: Snapshot, cluster: ClusterName, policy: Policy): SelfFenceJudgement {
  if (policy.fencing !== 'strict') return { kind: 'none', reason: 'the policy is best-effort' };
  const state = armedState(snapshot, cluster);
  if (!state.armed) return { kind: 'none', reason: state.reason };
  const own = ownObserver(snapshot, cluster);
  if (own === null || own.ageMs === null || own.ageMs <= staleAfterMs(snapshot.probe)) {
    return { kind: 'none', reason: `the agent of ${cluster} reports: what it reads back counts` };
  }
  const { tokenAgeMs = null, applyMs = null } = snapshot.selfFence?.[cluster] ?? {};
  if (tokenAgeMs === null || applyMs === null) {
    return { kind: 'none', reason: 'this controller does not know when the last token was issued' };
  }
  const leftMs = selfFenceDueMs(policy.selfFenceAfterMs, applyMs) - tokenAgeMs;
  if (leftMs > 0) return { kind: 'waiting', leftMs };
  const detail =
    `${own.agent} was armed and is silent, the last token was issued ${(tokenAgeMs / 1_000).toFixed(1)} s ago: ` +
    `${cluster} closed itself at the latest ${(-leftMs / 1_000).toFixed(1)} s ago`;
  return { kind: 'passed', detail };
}

function ownObserver(snapshot: Snapshot, cluster: ClusterName): Observer | null {
  const idc = snapshot.group.clusters.find((c) => c.name === cluster)?.idc;
  return snapshot.observers.find((o) => o.idc === idc) ?? null;
}

/** What a person is told of the active cluster's self-fence. */
export type SelfFenceView = Readonly<{ armed: boolean; says: string }>;

/** Null: the policy asks for none. */
export function selfFenceView(
  snapshot: Snapshot,
  decision: Pick<Decision, 'target' | 'targetFit'>,
  policy: Policy,
): SelfFenceView | null {
  if (policy.fencing !== 'strict') return null;
  const { active } = snapshot.group;
  const state = armedState(snapshot, active);
  const obstacles = armingObstacles(snapshot, decision);
  if (!state.armed) return { armed: false, says: [...obstacles, state.reason].join('; ') };
  const judged = judgeSelfFence(snapshot, active, policy);
  if (judged.kind === 'passed') return { armed: true, says: judged.detail };
  if (judged.kind === 'waiting') {
    return { armed: true, says: `${active} closes itself within ${(judged.leftMs / 1_000).toFixed(1)} s` };
  }
  const giving = obstacles.length === 0 ? '' : `; to be given up: ${obstacles.join('; ')}`;
  const after = `${policy.selfFenceAfterMs / 1_000} s`;
  return { armed: true, says: `${active} closes itself ${after} after the last word of a leader${giving}` };
}
