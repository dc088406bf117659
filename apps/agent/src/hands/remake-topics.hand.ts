import type { Ms } from '#health';
import type { FormerTopic, RebuildCommand, RebuildOutput } from '#failover';
import {
  isInternalTopic,
  KafkaCallError,
  pause,
  topicMatcher,
  type ClusterHands,
  type ClusterLayout,
  type TopicLayout,
} from '#kafka';
import type { TimeLeft } from './offset-commands.js';
import { specsOf, type RemakeSpec } from './remake-spec.js';

type Remake = Extract<RebuildCommand, { kind: 'remake_topics' }>;
type Remade = Extract<RebuildOutput, { kind: 'topics_remade' }>;
export type RemakeSides = Readonly<{
  like: Pick<ClusterHands, 'layout' | 'topicConfigs'>;
  to: Pick<
    ClusterHands,
    | 'layout'
    | 'offsets'
    | 'topicConfigs'
    | 'changeTopicConfigs'
    | 'createTopic'
    | 'deleteTopics'
    | 'groupOffsets'
    | 'deleteGroupOffsets'
  >;
  /** Told of each topic that was made: what is kept of its former life speaks of records that are gone. */
  onMade: (topics: readonly string[], leftMs: Ms) => Promise<void>;
}>;

const BATCH = 50;
const POLL_MS = 150;
const CALL_MS = 3_000;
/** Left for the answer, and for one call under way. */
const REPLY_MS = 1_000;
const MAX_OBSTACLES = 20;
/** Stale metadata, moved leaders, a controller that changes, a name that is still being deleted: looked at again. */
const PASSING_CODES: ReadonlySet<number> = new Set([3, 5, 6, 7, 14, 15, 16, 36, 41, 100]);

/** Which of the wanted topics there are, the product's own and Kafka's left out. */
export async function describeTopics(
  hands: Pick<ClusterHands, 'layout'>,
  body: Extract<RebuildCommand, { kind: 'describe_topics' }>,
  left: TimeLeft,
): Promise<RebuildOutput> {
  const { topics } = await hands.layout(left());
  const matches = topicMatcher(body.topics);
  const wanted = [...topics.values()].filter(
    (t) => matches(t.name) && !isInternalTopic(t.name) && t.partitions.length > 0,
  );
  const named = wanted.toSorted((x, y) => (x.name < y.name ? -1 : 1));
  return {
    kind: 'described_topics',
    topics: named.map((t) => ({ topic: t.name, id: idOf(t), partitions: t.partitions.length })),
  };
}

/**
 * Makes topics anew, as many as fit into the command's time. What is old is known by its id, so that asking again, by whomever,
 * deletes nothing twice: a topic of another id is deleted only while nothing was ever written to it (a broker made it by itself,
 * with its own number of partitions, because a client asked for the name).
 */
export async function remakeTopics(sides: RemakeSides, body: Remake, left: TimeLeft): Promise<Remade> {
  const specs = await specsOf(sides, body.topics, left);
  const work: Work = { sides, specs, left, done: new Map(), made: new Set(), obstacles: [] };
  try {
    for (let i = 0; i < body.topics.length && hasTime(left); i += BATCH)
      await remake(work, body.topics.slice(i, i + BATCH));
    const all = work.done.size === body.topics.length && work.obstacles.length === 0;
    const finished = all && hasTime(left) && (await removeOffsets(work, body.consumerGroups));
    return answer(work, body, finished);
  } catch (error) {
    if (!(error instanceof KafkaCallError) || isPassing(error) || error.errorCode === null) throw error;
    work.obstacles.push(error.message); // not allowed, switched off, against a policy: asking again does not help
    return answer(work, body, false);
  }
}

type Work = Readonly<{
  sides: RemakeSides;
  specs: ReadonlyMap<string, RemakeSpec>;
  left: TimeLeft;
  done: Map<string, TopicLayout>;
  made: Set<string>; // by this command
  obstacles: string[];
}>;

const hasTime = (left: TimeLeft): boolean => left() > REPLY_MS;
const callMs = (left: TimeLeft): Ms => Math.min(CALL_MS, left());
const isPassing = (error: KafkaCallError): boolean => error.errorCode !== null && PASSING_CODES.has(error.errorCode);

const answer = ({ done, obstacles }: Work, { topics }: Remake, finished: boolean): Remade => ({
  kind: 'topics_remade',
  progress: { finished, done: done.size, total: topics.length },
  obstacles: obstacles.slice(0, MAX_OBSTACLES),
  partitions: [...done.values()].flatMap((t) => t.partitions.map((p) => ({ topic: t.name, partition: p.partition }))),
});

/** Looks, does what is next for each, and looks again, until the batch is done or the time is. */
async function remake(work: Work, batch: readonly FormerTopic[]): Promise<void> {
  const { sides, left, obstacles } = work;
  for (;;) {
    const before = obstacles.length;
    const layout = await sides.to.layout(callMs(left));
    const pending = batch.filter((t) => !work.done.has(t.topic));
    const renewed = pending.flatMap((t) => renewedOf(layout, t));
    const written = await endSums(work, renewed);
    for (const topic of renewed) await settle(work, topic, written?.get(topic.name) ?? null);
    await act(work, layout, { pending, renewed, written });
    const open = batch.some((t) => !work.done.has(t.topic));
    if (!open || obstacles.length > before || !hasTime(left)) return;
    await pause(POLL_MS);
  }
}

const existing = (layout: ClusterLayout, name: string): TopicLayout | null => {
  const found = layout.topics.get(name);
  return found === undefined || found.partitions.length === 0 ? null : found;
};

/** There, and not the old one. */
function renewedOf(layout: ClusterLayout, { topic, id }: FormerTopic): readonly TopicLayout[] {
  const found = existing(layout, topic);
  return found === null || idOf(found) === id ? [] : [found];
}

/** Sum of end offsets by topic: 0 only if nothing was ever written. Null: no leader tells yet. */
async function endSums(
  { sides, left }: Work,
  topics: readonly TopicLayout[],
): Promise<ReadonlyMap<string, number> | null> {
  if (topics.length === 0) return new Map();
  try {
    const names = topics.map((t) => t.name);
    const sums = new Map(names.map((name) => [name, 0]));
    for (const end of await sides.to.offsets(names, 'end', callMs(left))) {
      sums.set(end.topic, (sums.get(end.topic) ?? 0) + end.offset);
    }
    return sums;
  } catch (error) {
    if (error instanceof KafkaCallError && isPassing(error)) return null;
    throw error;
  }
}

/** A new topic that is as it should be is done; one that somebody wrote to is a person's matter. */
async function settle(work: Work, topic: TopicLayout, written: number | null): Promise<void> {
  const spec = work.specs.get(topic.name);
  if (written === null || spec === undefined) return;
  if (written > 0) {
    work.obstacles.push(
      `${topic.name} was made anew and holds ${written} offsets that no copy wrote: keep its clients away, delete it, ask again`,
    );
    return;
  }
  if (topic.partitions.length !== spec.partitions) return;
  if (!work.made.has(topic.name)) await giveSettings(work, topic.name, spec);
  work.done.set(topic.name, topic);
}

/** One that this command did not make itself: another command before it did, or a broker, which knows no settings of it. */
async function giveSettings({ sides, left }: Work, topic: string, spec: RemakeSpec): Promise<void> {
  const keys = Object.keys(spec.configs);
  const table = keys.length === 0 ? null : await sides.to.topicConfigs([topic], keys, callMs(left));
  const changes = keys
    .filter((key) => table?.get(topic)?.get(key)?.value !== spec.configs[key])
    .map((key) => ({ topic, key, value: spec.configs[key] ?? null }));
  await sides.to.changeTopicConfigs(changes, callMs(left));
}

type Seen = Readonly<{
  pending: readonly FormerTopic[];
  renewed: readonly TopicLayout[];
  written: ReadonlyMap<string, number> | null;
}>;

async function act(work: Work, layout: ClusterLayout, { pending, renewed, written }: Seen): Promise<void> {
  const { sides, specs, left } = work;
  const old = pending.filter((t) => t.id !== null && existing(layout, t.topic)?.id === t.id);
  const misfits = renewed.filter(
    (t) => written?.get(t.name) === 0 && t.partitions.length !== specs.get(t.name)?.partitions,
  );
  await sides.to.deleteTopics([...old.map((t) => t.id ?? ''), ...misfits.map(idOf)], callMs(left));
  const there = new Set(renewed.map((t) => t.name));
  const made: string[] = [];
  for (const { topic } of pending) {
    const spec = specs.get(topic);
    if (there.has(topic) || spec === undefined || !hasTime(left)) continue;
    const { partitions, replicationFactor, configs } = spec;
    const wanted = { name: topic, assignment: { partitions, replicationFactor }, configs };
    if (await sides.to.createTopic(wanted, callMs(left))) made.push(topic); // false: not yet gone
  }
  for (const topic of made) work.made.add(topic);
  if (made.length > 0) await sides.onMade(made, left());
}

/** Brokers forget the offsets of a deleted topic by themselves, some time later. Not waited for: taken back, then read. */
async function removeOffsets(work: Work, groups: readonly string[]): Promise<boolean> {
  const { sides, left, obstacles, done } = work;
  const all = new Map([...done].map(([name, topic]) => [name, topic.partitions.map((p) => p.partition)]));
  for (const group of groups) {
    for (;;) {
      if ((await sides.to.deleteGroupOffsets(group, all, callMs(left))) === 'active') {
        obstacles.push(`consumers of ${group} are connected to the old side: stop them, ask again`);
        return false;
      }
      const held = await sides.to.groupOffsets([group], callMs(left));
      if (!held.some((o) => done.has(o.topic))) break;
      if (!hasTime(left)) return false;
      await pause(POLL_MS);
    }
  }
  return true;
}

function idOf(topic: TopicLayout): string {
  if (topic.id === undefined)
    throw new Error(`${topic.name} has no id: brokers before 2.8 cannot tell a topic from its successor`);
  return topic.id;
}
