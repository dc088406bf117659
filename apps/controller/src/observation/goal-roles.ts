import { type Goal } from '#failover';
import type { AgentId, ClusterName, IdcName } from '#health';
import type { GoalAssignment, GoalRole } from '#rpc';

/** An agent as the distribution sees it, in the order of the configuration. */
export type Candidate = Readonly<{
  agent: AgentId;
  idc: IdcName;
  connected: boolean;
  fresh: boolean; // connected and not STALE
  clusters: readonly ClusterName[]; // for which it holds credentials
}>;

/**
 * The part of a goal set that one agent is sent. A goal goes to every agent with credentials for its cluster; the agent
 * of the cluster's own IDC carries it out. Only while that one is silent the leader names one other, and never before
 * every agent has had the time to appear (`graceOver`): two hands on one fence would fight.
 */
export function assignmentsFor(
  agent: AgentId,
  goals: readonly Goal[],
  candidates: readonly Candidate[],
  idcOf: ReadonlyMap<ClusterName, IdcName>,
  graceOver: boolean,
): readonly GoalAssignment[] {
  return goals.flatMap((goal) => {
    const cluster = goal.subject === 'cluster' ? goal.cluster : goal.to;
    const able = candidates.filter((c) => c.clusters.includes(cluster));
    if (!able.some((c) => c.agent === agent)) return [];
    return [{ goal, role: roleOf(agent, able, idcOf.get(cluster), idcOf, graceOver) }];
  });
}

/**
 * Others than a cluster's own agents, in the order in which they are asked to help: first the agents of IDCs with a cluster,
 * then witnesses, which as a rule have no right to change anything. Within each the order of the configuration.
 */
export function helpersFirst<T extends Readonly<{ idc: IdcName }>>(
  others: readonly T[],
  idcOf: ReadonlyMap<ClusterName, IdcName>,
): readonly T[] {
  const withCluster = new Set(idcOf.values());
  const isFull = (x: T): boolean => withCluster.has(x.idc);
  return [...others.filter(isFull), ...others.filter((x) => !isFull(x))];
}

function roleOf(
  agent: AgentId,
  able: readonly Candidate[],
  idc: IdcName | undefined,
  idcOf: ReadonlyMap<ClusterName, IdcName>,
  graceOver: boolean,
): GoalRole {
  const own = able.filter((c) => c.idc === idc);
  const acting = own.find((c) => c.fresh) ?? own.find((c) => c.connected);
  if (acting !== undefined && acting.fresh) return acting.agent === agent ? 'own' : 'bystander';
  // A connected own agent keeps its goal while it is stale: it may be the first to see its cluster return.
  if (acting?.agent === agent) return 'own';
  const others = able.filter((c) => c.idc !== idc && c.fresh);
  const standIn = helpersFirst(others, idcOf)[0];
  return graceOver && standIn?.agent === agent ? 'stand_in' : 'bystander';
}
