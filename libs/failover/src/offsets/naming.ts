/** What a replication policy calls a source's topic on the target, and back. */

export type TopicNaming =
  Readonly<{ policy: 'identity' }> | Readonly<{ policy: 'default'; separator: string; internalSeparator: string }>;

export const IDENTITY_NAMING: TopicNaming = { policy: 'identity' };
export const DEFAULT_NAMING: TopicNaming = { policy: 'default', separator: '.', internalSeparator: '.' };

/** IdentityReplicationPolicy renames this one only, so that heartbeats of both directions can be told apart. */
const HEARTBEATS = 'heartbeats';

/** By the connectors' own configuration; `fallback` where it could not be read. A foreign policy class counts as `fallback`. */
export function namingOf(
  config: Readonly<Record<string, string>> | null,
  fallback: 'identity' | 'default',
): TopicNaming {
  const policyClass = config?.['replication.policy.class'] ?? null;
  const said = policyClass === null ? null : nameOfPolicy(policyClass);
  const policy = said ?? (config !== null && policyClass === null ? 'default' : fallback);
  if (policy === 'identity') return IDENTITY_NAMING;
  const separator = config?.['replication.policy.separator'] ?? '.';
  const plain = config?.['replication.policy.internal.topic.separator.enabled'] === 'false';
  return { policy, separator, internalSeparator: plain ? '.' : separator };
}

/** A remote topic may itself be copied on: `c.orders` of the source is `a.c.orders` on the target. */
export function remoteTopic(naming: TopicNaming, sourceAlias: string, topic: string): string {
  if (naming.policy === 'default') return `${sourceAlias}${naming.separator}${topic}`;
  return topic === HEARTBEATS ? `${sourceAlias}.${topic}` : topic;
}

/** Null: not a copy of a topic of that source, but the target's own or another source's. */
export function sourceTopic(naming: TopicNaming, sourceAlias: string, remote: string): string | null {
  if (naming.policy === 'default') {
    const prefix = `${sourceAlias}${naming.separator}`;
    return remote.startsWith(prefix) && remote.length > prefix.length ? remote.slice(prefix.length) : null;
  }
  return remote === `${sourceAlias}.${HEARTBEATS}` ? HEARTBEATS : remote;
}

const internal = (naming: TopicNaming): string => (naming.policy === 'default' ? naming.internalSeparator : '.');

/** `alias`: of the *other* cluster: the source's where the topic stands on the target, the target's where it stands on the source. */
export function offsetSyncsTopic(naming: TopicNaming, alias: string): string {
  const dot = internal(naming);
  return `mm2-offset-syncs${dot}${alias}${dot}internal`;
}

export function checkpointsTopic(naming: TopicNaming, sourceAlias: string): string {
  const dot = internal(naming);
  return `${sourceAlias}${dot}checkpoints${dot}internal`;
}

function nameOfPolicy(policyClass: string): 'identity' | 'default' | null {
  if (policyClass.endsWith('.IdentityReplicationPolicy')) return 'identity';
  return policyClass.endsWith('.DefaultReplicationPolicy') ? 'default' : null;
}
