import type { ClusterGoal, FlowGoal } from '../saga/effects.js';
import type { ActionName } from './facts.js';

/** A goal as `subject/state`. */
export type GoalKind =
  `${ClusterGoal['subject']}/${ClusterGoal['state']}` | `${FlowGoal['subject']}/${FlowGoal['state']}`;

/** Every kind of goal that agents carry out. */
export const AGENT_GOALS = [
  'cluster/fenced',
  'cluster/open',
  'flow/running',
  'flow/stopped',
] as const satisfies readonly GoalKind[];

/** The goals that each action leads to. */
export const ACTION_GOALS = {
  none: [],
  hold: [],
  alert: [],
  failover: ['cluster/fenced', 'flow/stopped', 'cluster/open'],
  propose: ['cluster/fenced', 'flow/stopped', 'cluster/open'],
  unfence: ['cluster/open'],
  'start-rejoin': ['cluster/fenced', 'flow/stopped'],
} as const satisfies Record<ActionName, readonly GoalKind[]>;
