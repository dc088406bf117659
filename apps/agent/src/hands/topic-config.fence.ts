import { checkTopic, type ClusterGoal, type FenceOffer } from '#failover';
import { monotonicMs, pause, type ClusterHands, type ConfigTable } from '#kafka';
import type { Fence, FenceReading } from './fence.js';
import { ensureGroupTopic, goalTopics } from './group-topics.js';
import { FenceJournalError, type FenceJournal, type FenceRecord } from './fence-journal.js';
import { FENCE_KEY } from '../probes/fences.js';
import { observeFence, planFence, planUnfence } from './fence-plan.js';

const CALL_MS = 3_000;
const READ_BACK_MS = 10_000;
const READ_BACK_PAUSE_MS = 100;
const CHANGES_PER_REQUEST = 1_000;

export type TopicConfigHands = Pick<
  ClusterHands,
  'layout' | 'topicConfigs' | 'topicConfigsEverywhere' | 'changeTopicConfigs' | 'createTopic'
>;

/**
 * Fence 2: `max.message.bytes=1` on every topic of the goal. Needs no authorizer and closes a topic for everybody,
 * MirrorMaker included, so it is only right while no flow writes to that cluster.
 */
export class TopicConfigFence implements Fence {
  readonly kind = 'topic-config';
  readonly #hands: TopicConfigHands;
  readonly #journal: FenceJournal;

  constructor(hands: TopicConfigHands, journal: FenceJournal) {
    this.#hands = hands;
    this.#journal = journal;
  }

  offer(): Promise<FenceOffer> {
    return Promise.resolve({ kind: this.kind, usable: true, reason: 'stops MirrorMaker too' });
  }

  place(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading> {
    return this.#apply(goal, 'fenced', signal);
  }

  lift(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading> {
    return this.#apply(goal, 'open', signal);
  }

  /** What this agent remembers of a cluster that is to be open and is, another one opened: it is old, and goes. */
  async read(goal: ClusterGoal): Promise<FenceReading> {
    const { topics } = await goalTopics(this.#hands, goal, CALL_MS);
    const reading = await this.#reading(goal, topics, await this.#tables(topics), []);
    const over = goal.state === 'open' && reading.state === 'open';
    return over ? this.#forget(goal, Object.keys(reading.previous), reading) : reading;
  }

  /**
   * Brings all topics of the goal, those created since included, to that state, and reads back. The topics that
   * applications write to come before the check topic: to make that one takes a returning cluster seconds, in which a
   * client that knows no pointer would go on writing.
   */
  async #apply(goal: ClusterGoal, state: ClusterGoal['state'], signal: AbortSignal): Promise<FenceReading> {
    const { layout, topics } = await goalTopics(this.#hands, goal, CALL_MS);
    const check = checkTopic(goal.group);
    if (layout.topics.has(check)) return this.#bring(goal, state, topics, signal);
    if (topics.length > 0) await this.#bring(goal, state, topics, signal);
    signal.throwIfAborted();
    await ensureGroupTopic(this.#hands, layout, check, topics, {}, CALL_MS);
    return this.#bring(goal, state, [...topics, check], signal);
  }

  async #bring(
    goal: ClusterGoal,
    state: ClusterGoal['state'],
    topics: readonly string[],
    signal: AbortSignal,
  ): Promise<FenceReading> {
    const journal = new Map([...recordsIn(goal), ...(await this.#journal.of(goal.cluster))]);
    const tables = await this.#tables(topics);
    const plan =
      state === 'fenced' ? planFence(goal.group, topics, tables, journal) : planUnfence(topics, tables, journal);
    await this.#journal.add(goal.cluster, plan.remember);
    for (let at = 0; at < plan.changes.length; at += CHANGES_PER_REQUEST) {
      signal.throwIfAborted(); // the goal was replaced: its opposite waits for us to let go
      await this.#hands.changeTopicConfigs(plan.changes.slice(at, at + CHANGES_PER_REQUEST), CALL_MS);
    }
    const look = async (now: readonly ConfigTable[]): Promise<FenceReading> =>
      this.#reading(goal, topics, now, plan.remarks);
    const reading =
      plan.changes.length === 0 // the usual round: what was just read is the read-back
        ? await look(tables)
        : await this.#readBack(topics, state, look, signal);
    // Only when the restored values were read back may the memory of them go.
    return reading.state === 'open' && state === 'open' ? this.#forget(goal, plan.forget, reading) : reading;
  }

  /** The topics are open whether or not the disk takes it in: the record stays, and goes in a later round. */
  async #forget(goal: ClusterGoal, topics: readonly string[], reading: FenceReading): Promise<FenceReading> {
    try {
      await this.#journal.remove(goal.cluster, topics);
      const left = Object.entries(reading.previous).filter(([topic]) => !topics.includes(topic));
      return { ...reading, previous: Object.fromEntries(left) };
    } catch (error) {
      if (!(error instanceof FenceJournalError)) throw error;
      return { ...reading, detail: `${reading.detail}; ${error.message}` };
    }
  }

  async #readBack(
    topics: readonly string[],
    state: ClusterGoal['state'],
    look: (tables: readonly ConfigTable[]) => Promise<FenceReading>,
    signal: AbortSignal,
  ): Promise<FenceReading> {
    const endsAtMs = monotonicMs() + READ_BACK_MS;
    for (;;) {
      const reading = await look(await this.#tables(topics));
      if (reading.state === state || signal.aborted || monotonicMs() > endsAtMs) return reading;
      await pause(READ_BACK_PAUSE_MS, signal);
    }
  }

  #tables(topics: readonly string[]): Promise<readonly ConfigTable[]> {
    return this.#hands.topicConfigsEverywhere(topics, [FENCE_KEY], CALL_MS);
  }

  async #reading(
    goal: ClusterGoal,
    topics: readonly string[],
    tables: readonly ConfigTable[],
    remarks: readonly string[],
  ): Promise<FenceReading> {
    const readAtMs = monotonicMs();
    const state = observeFence(topics, tables);
    const journal = await this.#journal.of(goal.cluster);
    const mine = [...journal].filter(([, record]) => record.group === goal.group);
    const said = `${topics.length} topics ${state} at ${tables.length} brokers`;
    const detail = [said, ...remarks.slice(0, 10)].join('; ');
    return { state, readAtMs, detail, previous: Object.fromEntries(mine.map(([topic, r]) => [topic, r.previous])) };
  }
}

/** What an agent that closed the cluster in this one's place remembers, as the leader heard it. */
const recordsIn = ({ group, previous = {} }: ClusterGoal): readonly [string, FenceRecord][] =>
  Object.entries(previous).map(([topic, value]) => [topic, { group, previous: value }]);
