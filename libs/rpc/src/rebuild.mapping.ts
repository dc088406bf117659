import type { RebuildCommand, RebuildOutput } from '#failover';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import { orNull, orUndefined } from './wire.js';

type WireBody = Extract<NonNullable<pb.Command['body']>, { $case: 'describeTopics' | 'remakeTopics' }>;
type WireOutcome = Extract<NonNullable<pb.CommandResult['outcome']>, { $case: 'describedTopics' | 'topicsRemade' }>;

export function rebuildCommandToWire(b: RebuildCommand): WireBody {
  if (b.kind === 'describe_topics') {
    return { $case: 'describeTopics', describeTopics: { cluster: b.cluster, topics: b.topics } };
  }
  const topics = b.topics.map((t) => ({ topic: t.topic, id: orUndefined(t.id) }));
  const { like, to, consumerGroups } = b;
  return { $case: 'remakeTopics', remakeTopics: { like, to, topics, consumerGroups } };
}

export function rebuildCommandFromWire(b: WireBody): RebuildCommand {
  if (b.$case === 'describeTopics') return { kind: 'describe_topics', ...b.describeTopics };
  const { like, to, consumerGroups } = b.remakeTopics;
  const topics = b.remakeTopics.topics.map((t) => ({ topic: t.topic, id: orNull(t.id) }));
  return { kind: 'remake_topics', like, to, topics, consumerGroups };
}

export function rebuildOutputToWire(o: RebuildOutput): WireOutcome {
  if (o.kind === 'described_topics') return { $case: 'describedTopics', describedTopics: { topics: o.topics } };
  const { progress, obstacles, partitions } = o;
  return { $case: 'topicsRemade', topicsRemade: { progress, obstacles, partitions } };
}

/** Without its progress an answer must not be taken for the end. */
export function rebuildOutputFromWire(o: WireOutcome): RebuildOutput {
  if (o.$case === 'describedTopics') return { kind: 'described_topics', topics: o.describedTopics.topics };
  const { progress, obstacles, partitions } = o.topicsRemade;
  return {
    kind: 'topics_remade',
    progress: progress ?? { finished: false, done: 0, total: 0 },
    obstacles,
    partitions,
  };
}
