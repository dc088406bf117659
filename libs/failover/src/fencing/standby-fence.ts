import type { ClusterName } from '#health';
import type { Decision, Policy, Snapshot } from '../matrix/facts.js';
import { checkTopic, type ClusterGoal, type Goal } from '../saga/effects.js';

const STEADY = 800;

/**
 * Standbys that are to be closed to applications now: a client that writes to the wrong side makes records that no flow
 * brings home. Only by ACL, for MirrorMaker must go on writing there. Never while anything else is going on: a standby may
 * be needed in the next moment.
 */
export function standbysToClose(snapshot: Snapshot, decision: Decision, policy: Policy): readonly ClusterName[] {
  const { group } = snapshot;
  if (policy.standbyFence !== 'acl' || decision.row !== STEADY || decision.gate.length > 0 || !snapshot.graceOver)
    return [];
  return group.clusters
    .map((c) => c.name)
    .filter(
      (name) =>
        name !== group.active && !group.rejoin.includes(name) && offersAcl(snapshot, name) && !copies(snapshot, name),
    );
}

const offersAcl = (snapshot: Snapshot, cluster: ClusterName): boolean =>
  snapshot.clusterSettings[cluster]?.fencing?.offers.some((o) => o.kind === 'acl' && o.usable) === true;

/** MirrorMaker's ACL sync would carry the DENY on to the active cluster; not knowing counts as yes. */
const copies = (snapshot: Snapshot, from: ClusterName): boolean =>
  snapshot.flows.some((f) => f.from === from) &&
  !snapshot.flowSettings.some((f) => f.from === from && f.syncsTopicAcls === false);

/**
 * The standing goal, or null if there is one already. Of the group's present epoch, so that an agent that restarts without
 * a leader may keep it up, and so that whatever a saga wants later is newer.
 */
export function standbyGoal(
  group: Readonly<{ name: string; epoch: number; topics: readonly string[] }>,
  cluster: ClusterName,
  term: number,
  held: readonly Goal[],
): ClusterGoal | null {
  const known = held.find((g) => g.subject === 'cluster' && g.group === group.name && g.cluster === cluster);
  if (known?.state === 'fenced') return null;
  return {
    subject: 'cluster',
    group: group.name,
    cluster,
    state: 'fenced',
    epoch: Math.max(group.epoch, known?.epoch ?? 0),
    term,
    topics: [...group.topics, checkTopic(group.name)],
    kinds: ['acl'],
  };
}
