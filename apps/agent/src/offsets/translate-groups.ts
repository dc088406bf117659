import type { Ms } from '#health';
import {
  remoteTopic,
  sourceTopic,
  translateForward,
  translateReverse,
  type TranslateCommand,
  type TranslatedOffset,
  type TranslatedTopic,
  type Translation,
} from '#failover';
import { isInternalTopic, topicMatcher, type ClusterLayout } from '#kafka';
import type { HeldCheckpoint } from './checkpoint-board.js';
import type { SeenCommit } from './committed.js';
import type { SyncFollower } from './sync-follower.js';

/** Everything that one answer is made of; nothing below asks anybody. */
export type TranslationGround = Readonly<{
  forward: SyncFollower;
  /** The other direction's: knows the part of the source's log that came from the target. */
  back: SyncFollower | null;
  target: ClusterLayout;
  source: ClusterLayout | null;
  starts: ReadonlyMap<string, number>; // of the target: topic/partition → offset
  ends: ReadonlyMap<string, number>;
  committed: ReadonlyMap<string, ReadonlyMap<string, SeenCommit>>;
  nowWallMs: Ms;
}>;

/** Clocks of brokers and agents differ: a checkpoint counts as the later word only by more than this. */
const CLOCK_SLACK_MS = 1_000;

export function translateGroups(body: TranslateCommand, ground: TranslationGround): readonly TranslatedOffset[] {
  const frozen = new Map(body.frozen.map((f) => [`${f.topic}/${f.partition}`, { n: f.n, s: f.s }]));
  const { naming, sourceAlias } = ground.forward.setup;
  return body.consumerGroups.flatMap((group) =>
    topicsOf(body, ground).flatMap(({ topic, sourceTopic: from, sourcePartitions, targetPartitions }) => {
      const partitions = Math.max(sourcePartitions ?? 0, targetPartitions);
      const remote = remoteTopic(naming, sourceAlias, from);
      return Array.from({ length: partitions }, (_, partition) => {
        const key = `${topic}/${partition}`;
        const checkpoint = ground.forward.checkpoints.get(group, remote, partition);
        const seen = ground.committed.get(group)?.get(`${from}/${partition}`) ?? null;
        const at = upstreamOf(seen, checkpoint, ground.nowWallMs);
        if (at === null) return null;
        const around = {
          frozen: frozen.get(key) ?? renamedEnd(frozen.get(`${from}/${partition}`), ground.ends.get(key)),
          logStart: ground.starts.get(key) ?? null,
          logEnd: ground.ends.get(key) ?? null,
        };
        const translation = closest(ground, { from, topic, partition }, at.upstream, around);
        return { group, topic, partition, ...at, ...outcomeOf(translation), checkpoint: pairOf(checkpoint) };
      }).filter((offset) => offset !== null);
    }),
  );
}

/** The watched topics of the source as the target calls them, the missing ones too. */
export function topicsOf(body: TranslateCommand, ground: TranslationGround): readonly TranslatedTopic[] {
  const { naming, sourceAlias } = ground.forward.setup;
  const matches = topicMatcher(body.topics);
  const isWanted = (topic: string): boolean => matches(topic) && !isInternalTopic(topic);
  const names = new Set<string>();
  for (const topic of ground.source?.topics.keys() ?? []) if (isWanted(topic)) names.add(topic);
  for (const topic of ground.target.topics.keys()) {
    const from = sourceTopic(naming, sourceAlias, topic);
    if (from !== null && isWanted(from)) names.add(from);
  }
  return [...names].toSorted().map((from) => {
    const topic = remoteTopic(naming, sourceAlias, from);
    return {
      topic,
      sourceTopic: from,
      sourcePartitions: ground.source?.topics.get(from)?.partitions.length ?? null,
      targetPartitions: ground.target.topics.get(topic)?.partitions.length ?? 0,
    };
  });
}

/**
 * A policy that renames gives the copy a log of its own, in which nobody else writes: its end is S. The caller froze the topic
 * of the source's name, which on the target is the applications' own.
 */
const renamedEnd = (bySource: Readonly<{ n: number; s: number }> | undefined, end: number | undefined) =>
  bySource === undefined || end === undefined ? null : { n: bySource.n, s: end };

type Upstream = Pick<TranslatedOffset, 'upstream' | 'upstreamBy' | 'upstreamAgeMs'>;

/** The later word of the two. A group that was set back is followed back: a checkpoint from before does not count. */
function upstreamOf(seen: SeenCommit | null, checkpoint: HeldCheckpoint | null, nowWallMs: Ms): Upstream | null {
  const ageMs = checkpoint === null ? null : Math.max(0, nowWallMs - checkpoint.atWallMs);
  const later =
    checkpoint !== null &&
    ageMs !== null &&
    (seen === null || (checkpoint.upstream > seen.offset && ageMs + CLOCK_SLACK_MS < seen.ageMs));
  if (later) return { upstream: checkpoint.upstream, upstreamBy: 'checkpoint', upstreamAgeMs: ageMs };
  return seen === null ? null : { upstream: seen.offset, upstreamBy: 'committed', upstreamAgeMs: seen.ageMs };
}

type Place = Readonly<{ from: string; topic: string; partition: number }>;
type Around = Readonly<{
  frozen: Readonly<{ n: number; s: number }> | null;
  logStart: number | null;
  logEnd: number | null;
}>;

/** Both directions' syncs give places that skip nothing; the later of them is the closer one. */
function closest(ground: TranslationGround, at: Place, upstream: number, around: Around): Translation | null {
  const { forward, back } = ground;
  const history = forward.history(at.from, at.partition);
  const ahead =
    history === null ? null : translateForward(history, upstream, { ...around, countable: forward.setup.countable });
  if (ahead?.confidence === 'EXACT' || back === null) return ahead;
  // In the other direction the target's topic is the source: its syncs are kept under that name, where the policy keeps names.
  const reverse = at.topic === at.from ? back.history(at.topic, at.partition) : null;
  const behind =
    reverse === null
      ? null
      : translateReverse(reverse, upstream, { sourceEnd: around.logEnd, countable: back.setup.countable });
  if (behind === null || behind.offset === null) return ahead;
  if (ahead === null || ahead.offset === null || behind.offset > ahead.offset) return behind;
  return ahead;
}

const outcomeOf = (t: Translation | null): Pick<TranslatedOffset, 'offset' | 'confidence' | 'rereadAtMost'> =>
  t === null
    ? { offset: null, confidence: 'NONE', rereadAtMost: null }
    : { offset: t.offset, confidence: t.confidence, rereadAtMost: t.rereadAtMost };

const pairOf = (c: HeldCheckpoint | null): TranslatedOffset['checkpoint'] =>
  c === null ? null : { upstream: c.upstream, downstream: c.downstream };
