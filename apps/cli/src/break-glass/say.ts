import type { ClusterGoal, FlowGoal, Goal } from '#failover';
import { wrap } from '../render/text.js';
import type { Follower } from './centers.js';
import type { Done } from './clusters.js';
import type { Plan } from './plan.js';

/** What break-glass says to the person who stands there at night. */

const named = (goal: Goal): string => (goal.subject === 'cluster' ? goal.cluster : `${goal.from} → ${goal.to}`);

const WORDS = {
  fenced: { done: 'is closed to applications', not: 'WAS NOT FENCED: whoever reaches it can still write there' },
  open: { done: 'is open to applications', not: 'WAS NOT OPENED: a fence of the standby may still refuse writes' },
  stopped: { done: 'is stopped', not: 'WAS NOT STOPPED: MirrorMaker may still copy' },
  running: { done: 'runs', not: 'does not run' },
} as const satisfies Record<Goal['state'], unknown>;

export const planText = ({ kind, before, pointer, goals }: Plan): readonly string[] => [
  `${pointer.group}: ${before.activeCluster} at epoch ${before.epoch}, term ${before.term}, since ${before.publishedAt}`,
  kind === 'publish'
    ? `would be published: ${pointer.activeCluster} at epoch ${pointer.epoch}, term ${pointer.term}`
    : `${pointer.activeCluster} was published by break-glass already; what was left over would be done`,
  ...goals.map((goal) => `  then ${named(goal)} ${goal.state}`),
  'Offsets of consumer groups stay as MirrorMaker synced them; a group without any begins at the earliest record.',
];

export const doneLines = (done: readonly Done[], columns: number): readonly string[] =>
  done.flatMap(({ goal, reached, detail }) => {
    const { done: good, not } = WORDS[goal.state];
    const mark = reached ? 'ok  ' : 'NOT ';
    return wrap(`${mark}  ${named(goal)} ${reached ? good : `${not} (${detail})`}`, columns, '      ');
  });

/** Of a dry run: what is so now. */
export const seenLines = (seen: readonly Done[], columns: number): readonly string[] =>
  seen.flatMap(({ goal, observed, detail }) =>
    wrap(`  ${named(goal)} is ${observed}${detail === '' ? '' : `: ${detail}`}`, columns, '      '),
  );

export const followerLines = (followers: readonly Follower[]): readonly string[] =>
  followers.map(({ center, followed, detail }) => `${followed ? 'ok  ' : 'NOT '}  config center ${center}: ${detail}`);

/** What to type for what could not be done here; without Pointsman, by Kafka's own tools. */
export function byHand(done: readonly Done[], servers: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const left = done.filter((d) => !d.reached).map((d) => d.goal);
  if (left.length === 0) return [];
  return [
    "Left over. Run the same command where an agent's file reaches it (add --config agent.yaml), or type:",
    ...left.flatMap((goal) =>
      goal.subject === 'flow' ? flowLines(goal) : clusterLines(goal, servers.get(goal.cluster) ?? []),
    ),
  ];
}

function clusterLines(goal: ClusterGoal, servers: readonly string[]): readonly string[] {
  const at = `--bootstrap-server ${servers.join(',') || '<servers>'} --command-config <admin.properties>`;
  const change = goal.state === 'fenced' ? '--add' : '--remove --force';
  return goal.topics.map((topic) => {
    const prefix = topic.endsWith('*') ? ' --resource-pattern-type prefixed' : '';
    const name = topic.replace(/\*$/, '');
    return `  kafka-acls.sh ${at} ${change} --deny-principal 'User:*' --operation Write --topic ${name}${prefix}`;
  });
}

const flowLines = ({ to, connectors }: FlowGoal): readonly string[] =>
  [connectors.source, connectors.checkpoint].map(
    (name) => `  curl -X PUT http://<connect worker of ${to}>/connectors/${name}/stop`,
  );
