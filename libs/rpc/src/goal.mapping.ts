import type { ClusterGoal, FenceKind, Goal, GoalStatus, PreviousValues } from '#failover';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import type { AgentGoalSet, GoalAssignment, GoalRole } from './messages.js';
import { ageFromWire, enumCodec, orNull, orUndefined } from './wire.js';

const clusterState = enumCodec<'fenced' | 'open'>({
  fenced: pb.ClusterGoalState.CLUSTER_GOAL_STATE_FENCED,
  open: pb.ClusterGoalState.CLUSTER_GOAL_STATE_OPEN,
});

const flowState = enumCodec<'running' | 'stopped'>({
  running: pb.FlowGoalState.FLOW_GOAL_STATE_RUNNING,
  stopped: pb.FlowGoalState.FLOW_GOAL_STATE_STOPPED,
});

const role = enumCodec<GoalRole>({
  own: pb.GoalRole.GOAL_ROLE_OWN,
  stand_in: pb.GoalRole.GOAL_ROLE_STAND_IN,
  bystander: pb.GoalRole.GOAL_ROLE_BYSTANDER,
});

const condition = enumCodec<GoalStatus['observed']>({
  fenced: pb.GoalCondition.GOAL_CONDITION_FENCED,
  open: pb.GoalCondition.GOAL_CONDITION_OPEN,
  partial: pb.GoalCondition.GOAL_CONDITION_PARTIAL,
  foreign: pb.GoalCondition.GOAL_CONDITION_FOREIGN,
  running: pb.GoalCondition.GOAL_CONDITION_RUNNING,
  stopped: pb.GoalCondition.GOAL_CONDITION_STOPPED,
  unknown: pb.GoalCondition.GOAL_CONDITION_UNKNOWN,
  refused: pb.GoalCondition.GOAL_CONDITION_REFUSED,
});

export const fenceKind = enumCodec<FenceKind>({
  'topic-config': pb.FenceKind.FENCE_KIND_TOPIC_CONFIG,
  acl: pb.FenceKind.FENCE_KIND_ACL,
  hook: pb.FenceKind.FENCE_KIND_HOOK,
});

const previousToWire = (previous: PreviousValues): pb.PreviousValue[] =>
  Object.entries(previous).map(([topic, value]) => ({ topic, value: orUndefined(value) }));

const previousFromWire = (previous: readonly pb.PreviousValue[]): PreviousValues =>
  Object.fromEntries(previous.map(({ topic, value }) => [topic, orNull(value)]));

export const goalToWire = (g: Goal): pb.Goal => ({
  group: g.group,
  epoch: g.epoch,
  term: g.term,
  subject:
    g.subject === 'cluster'
      ? {
          $case: 'cluster',
          cluster: {
            cluster: g.cluster,
            state: clusterState.toWire(g.state) as pb.ClusterGoalState,
            topics: g.topics,
            kinds: (g.kinds ?? []).map((k) => fenceKind.toWire(k) as pb.FenceKind),
            deniedGroups: g.deniedGroups ?? [],
            previous: previousToWire(g.previous ?? {}),
          },
        }
      : {
          $case: 'flow',
          flow: {
            from: g.from,
            to: g.to,
            state: flowState.toWire(g.state) as pb.FlowGoalState,
            connectors: g.connectors,
          },
        },
});

/** Null: a subject or state that this version does not know. Guessing one could fence or open the wrong thing. */
export function goalFromWire(g: pb.Goal | undefined): Goal | null {
  if (g?.subject?.$case === 'cluster') {
    const state = clusterState.fromWire(g.subject.cluster.state);
    const kinds = g.subject.cluster.kinds.map((k) => fenceKind.fromWire(k)).filter((k) => k !== null);
    // Kinds none of which this version knows are no leave to choose one.
    if (state === null || (kinds.length === 0 && g.subject.cluster.kinds.length > 0)) return null;
    const { cluster, topics, deniedGroups, previous } = g.subject.cluster;
    const goal: ClusterGoal = {
      subject: 'cluster',
      group: g.group,
      cluster,
      state,
      epoch: g.epoch,
      term: g.term,
      topics,
    };
    return {
      ...goal,
      ...(kinds.length === 0 ? {} : { kinds }),
      ...(deniedGroups.length === 0 ? {} : { deniedGroups }),
      ...(previous.length === 0 ? {} : { previous: previousFromWire(previous) }),
    };
  }
  if (g?.subject?.$case === 'flow') {
    const { from, to, connectors } = g.subject.flow;
    const state = flowState.fromWire(g.subject.flow.state);
    if (state === null || connectors === undefined) return null;
    return { subject: 'flow', group: g.group, from, to, state, epoch: g.epoch, term: g.term, connectors };
  }
  return null;
}

export const assignmentToWire = (a: GoalAssignment): pb.GoalAssignment => ({
  goal: goalToWire(a.goal),
  role: role.toWire(a.role) as pb.GoalRole,
});

/** An unknown role is a bystander's: it changes nothing. */
export function assignmentFromWire(a: pb.GoalAssignment): GoalAssignment | null {
  const goal = goalFromWire(a.goal);
  return goal === null ? null : { goal, role: role.fromWire(a.role) ?? 'bystander' };
}

export const goalSetToWire = (s: AgentGoalSet): pb.GoalSet => ({ term: s.term, goals: s.goals.map(assignmentToWire) });

export const goalSetFromWire = (s: pb.GoalSet): AgentGoalSet => ({
  term: s.term,
  goals: s.goals.map(assignmentFromWire).filter((a) => a !== null),
});

export const goalStatusToWire = (s: GoalStatus): pb.GoalStatus => ({
  key: s.key,
  wanted: condition.toWire(s.wanted) as pb.GoalCondition,
  observed: condition.toWire(s.observed) as pb.GoalCondition,
  reached: s.reached,
  epoch: s.epoch,
  term: s.term,
  ageMs: s.ageMs,
  detail: s.detail,
  previous: previousToWire(s.previous),
  kind: s.kind === undefined ? undefined : (fenceKind.toWire(s.kind) as pb.FenceKind),
  deniedGroups: s.deniedGroups ?? [],
});

/** Null: it does not say what was wanted in words that this version knows. */
export function goalStatusFromWire(s: pb.GoalStatus): GoalStatus | null {
  const wanted = condition.fromWire(s.wanted);
  if (wanted !== 'fenced' && wanted !== 'open' && wanted !== 'running' && wanted !== 'stopped') return null;
  const observed = condition.fromWire(s.observed) ?? 'unknown';
  const kind = fenceKind.fromWire(s.kind);
  return {
    ...(kind === null ? {} : { kind }),
    ...(s.deniedGroups.length === 0 ? {} : { deniedGroups: s.deniedGroups }),
    key: s.key,
    wanted,
    observed,
    reached: s.reached && observed === wanted,
    epoch: s.epoch,
    term: s.term,
    ageMs: ageFromWire(s.ageMs),
    detail: s.detail,
    previous: previousFromWire(s.previous),
  };
}
