import type { ClusterName, Ms } from '#health';
import type { Snapshot } from './matrix/facts.js';

/** A consumer group that committed within it is at work; longer than the auto-commit intervals of kafkajs and Java, 5 s. */
export const MOVING_WITHIN_MS: Ms = 30_000;

/** What a cluster's brokers show of a consumer group. `members` absent: not known. */
export type ConsumerSign = Readonly<{
  cluster: ClusterName;
  consumerGroup: string;
  committedAgeMs: Ms | null; // since a committed offset was seen to move
  members?: number;
}>;

export const consumerAt = (cluster: ClusterName, consumerGroup: string): string => `${cluster}/${consumerGroup}`;

/** Groups that are at work without a wrapped consumer of their name there. `wrapped`: of {@link consumerAt}. */
export const unwrappedConsumers = <T extends ConsumerSign>(
  signs: readonly T[],
  wrapped: ReadonlySet<string>,
): readonly T[] => signs.filter((s) => isAtWork(s) && !wrapped.has(consumerAt(s.cluster, s.consumerGroup)));

/** A consumer that has read everything commits nothing new, and is there all the same. */
const isAtWork = (s: ConsumerSign): boolean =>
  (s.members ?? 0) > 0 || (s.committedAgeMs !== null && s.committedAgeMs <= MOVING_WITHIN_MS);

export type StrayWrite = Readonly<{ cluster: ClusterName; ageMs: Ms }>;

/** Clusters other than `active` whose topics grew within the time, though nothing is copied there: somebody writes. */
export function strayWrites(snapshot: Snapshot, active: ClusterName, withinMs: Ms): readonly StrayWrite[] {
  return snapshot.group.clusters.flatMap(({ name: cluster }): readonly StrayWrite[] => {
    if (cluster === active) return [];
    const out = snapshot.flows.find((f) => f.from === cluster && f.to === active);
    const into = snapshot.flows.find((f) => f.from === active && f.to === cluster);
    const ageMs = out?.sourceGrewAgeMs ?? null;
    // Under their own names copies cannot be told from what is written; under another one they are other topics.
    const copied =
      into?.naming !== 'default' && into?.sourceConnector !== 'STOPPED' && into?.sourceConnector !== 'ABSENT';
    return ageMs === null || ageMs > withinMs || copied ? [] : [{ cluster, ageMs }];
  });
}
