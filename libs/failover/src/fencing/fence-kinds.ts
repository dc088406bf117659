import { FENCE_KINDS, type ClusterGoal, type FenceKind } from '../saga/effects.js';
import type { FenceOffer } from '../matrix/facts.js';

/** What a kind of fence does besides closing the cluster to applications. */
const FENCES = {
  acl: { stopsReplication: false }, // MirrorMaker's principal is exempt
  'topic-config': { stopsReplication: true }, // no batch is small enough, whoever sends it
  hook: { stopsReplication: false }, // the operator's promise: clients only
} as const satisfies Record<FenceKind, Readonly<{ stopsReplication: boolean }>>;

/** Kinds that may be in force on a cluster to which a flow writes, strongest first. */
export const KINDS_BESIDE_A_FLOW: readonly FenceKind[] = FENCE_KINDS.filter((kind) => !FENCES[kind].stopsReplication);

/** Which kinds to try for this goal, strongest first. */
export function kindsToTry(goal: Pick<ClusterGoal, 'kinds'>, offers: readonly FenceOffer[]): readonly FenceKind[] {
  const allowed = goal.kinds === undefined || goal.kinds.length === 0 ? FENCE_KINDS : goal.kinds;
  return FENCE_KINDS.filter((kind) => allowed.includes(kind) && offers.some((o) => o.kind === kind && o.usable));
}

export const isAllowed = (goal: Pick<ClusterGoal, 'kinds'>, kind: FenceKind): boolean =>
  goal.kinds === undefined || goal.kinds.length === 0 || goal.kinds.includes(kind);
