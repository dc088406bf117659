import type { ClusterName } from '#health';
import {
  JUDGED_KEYS,
  namingOf,
  sourceTopic,
  TRACE_CHARACTERS,
  type ConnectorFailure,
  type ConnectorState,
  type FlowSettings,
} from '#failover';
import type { ConnectorStatus } from '#kafka';
import { FENCE_KEY } from './fences.js';

const STATES: Readonly<Record<string, ConnectorState>> = {
  RUNNING: 'RUNNING',
  PAUSED: 'PAUSED',
  STOPPED: 'STOPPED',
  FAILED: 'FAILED',
  UNASSIGNED: 'UNASSIGNED',
  RESTARTING: 'UNASSIGNED',
};

/** A connector is as well as its worst task. It says nothing of the flow's health: it stays RUNNING over a dead source. */
export function connectorState(status: ConnectorStatus | null): ConnectorState {
  if (status === null) return 'ABSENT';
  if (status.tasks.some((t) => t.state === 'FAILED')) return 'FAILED';
  // A stop is over only when no task is left: until then it may still copy.
  if (status.state === 'STOPPED' && status.tasks.length > 0) return 'RUNNING';
  return STATES[status.state] ?? 'UNKNOWN';
}

/** Of one connector at most: its tasks fail for the same reason as a rule. */
const MOST_OF_ONE = 4;
const CAUSE = 'Caused by: ';

/** What failed of a connector that should run, the connector itself first; a stopped one's tasks are on their way out. */
export function failuresOf(status: ConnectorStatus | null): readonly ConnectorFailure[] {
  if (status === null || (status.state !== 'FAILED' && status.state !== 'RUNNING')) return [];
  const { name: connector, state, tasks } = status;
  const own = state === 'FAILED' ? [{ connector, task: null, trace: traceText(status.trace) }] : [];
  const failed = tasks.filter((t) => t.state === 'FAILED');
  return [...own, ...failed.map((t) => ({ connector, task: t.id, trace: traceText(t.trace) }))].slice(0, MOST_OF_ONE);
}

/** The first line says what Connect gave up on, the last cause as a rule why; what lies between is its stack. */
function traceText(trace: string | null): string {
  const [first = '', ...rest] = (trace ?? '').split('\n').map((line) => line.trim());
  const cause = rest.findLast((line) => line.startsWith(CAUSE));
  const half = TRACE_CHARACTERS / 2 - 1;
  const said =
    cause === undefined ? first.slice(0, TRACE_CHARACTERS) : `${first.slice(0, half)}; ${cause.slice(0, half)}`;
  return said === '' ? 'no trace' : said;
}

export const sourceAlias = (config: Readonly<Record<string, string>> | null, from: ClusterName): string =>
  config?.['source.cluster.alias'] ?? from;

type Config = Readonly<Record<string, string>> | null;

/** Whether a topic of the target is the copy of one of the group's. */
export function isCopyName(
  flow: Readonly<{ config: Config; naming: 'identity' | 'default'; isOfGroup: (topic: string) => boolean }>,
  alias: string,
  topic: string,
): boolean {
  const original = sourceTopic(namingOf(flow.config, flow.naming), alias, topic);
  return original !== null && flow.isOfGroup(original);
}

const judged = (configs: Readonly<{ source: Config; checkpoint: Config }>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (['source', 'checkpoint'] as const).flatMap((of) =>
      JUDGED_KEYS[of].flatMap((key) => {
        const value = configs[of]?.[key];
        return value === undefined ? [] : [[key, value]];
      }),
    ),
  );

// Kafka's own default of config.properties.exclude does not hold max.message.bytes: the fence would be copied.
const DEFAULT_TOPICS_EXCLUDE = '.*[\\-\\.]internal,.*\\.replica,__.*';

/** What a connector's configuration says about being safe to fail over. Null where it cannot be told. */
export function readFlowSettings(
  flow: Readonly<{ from: ClusterName; to: ClusterName }>,
  configs: Readonly<{ source: Config; checkpoint: Config }>,
  sourceTopics: readonly string[] | null,
  isOfGroup: (topic: string) => boolean,
): FlowSettings {
  const { from, to } = flow;
  const config = configs.source;
  if (config === null) return { from, to, syncsTopicAcls: null, excludesMaxMessageBytes: null, foreignTopics: [] };
  return {
    from,
    to,
    syncsTopicAcls: config['sync.topic.acls.enabled'] !== 'false', // the default is true
    excludesMaxMessageBytes:
      config['sync.topic.configs.enabled'] === 'false' ||
      javaListMatcher(config['config.properties.exclude'] ?? '')(FENCE_KEY),
    foreignTopics: foreignTopics(config, sourceTopics ?? [], isOfGroup),
    connectorConfig: judged(configs),
  };
}

function foreignTopics(
  config: Readonly<Record<string, string>>,
  sourceTopics: readonly string[],
  isOfGroup: (topic: string) => boolean,
): readonly string[] {
  const included = javaListMatcher(config.topics ?? '.*');
  const excluded = javaListMatcher(config['topics.exclude'] ?? DEFAULT_TOPICS_EXCLUDE);
  return sourceTopics.filter((t) => included(t) && !excluded(t) && !isOfGroup(t) && !isHeartbeats(t)).toSorted();
}

const isHeartbeats = (topic: string): boolean => topic === 'heartbeats' || topic.endsWith('.heartbeats');

/** A comma-separated list of Java patterns, each anchored. A pattern that JavaScript cannot read is taken literally. */
function javaListMatcher(list: string): (text: string) => boolean {
  const parts = list
    .split(',')
    .map((p) => p.trim())
    .filter((p) => p !== '');
  const tests = parts.map((part): ((text: string) => boolean) => {
    try {
      const pattern = new RegExp(`^(?:${part})$`);
      return (text) => pattern.test(text);
    } catch {
      // Possessive quantifiers and the like exist in Java only; such a list cannot be judged topic by topic.
      return (text) => text === part;
    }
  });
  return (text) => tests.some((matches) => matches(text));
}
