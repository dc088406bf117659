import type { Ms } from '#health';
import { checkTopic, goalKey, type ClusterGoal, type GoalStatus } from '#failover';
import {
  isInternalTopic,
  KafkaCallError,
  monotonicMs,
  pause,
  topicMatcher,
  type ClusterHands,
  type ClusterLayout,
  type ConfigTable,
} from '#kafka';
import { ensureGroupTopic } from './group-topics.js';
import type { FenceJournal } from './fence-journal.js';
import { FENCE_KEY } from '../probes/fences.js';
import { observeFence, planFence, planUnfence } from './fence-plan.js';

const CALL_MS = 3_000;
const READ_BACK_MS = 10_000;
const READ_BACK_PAUSE_MS = 100;
const CHANGES_PER_REQUEST = 1_000;

/**
 * Fence 2: `max.message.bytes=1` on every topic of the goal. Needs no authorizer and closes a topic for everybody,
 * MirrorMaker included, so it is only right while no flow writes to that cluster.
 */
export class ClusterFenceHand {
  readonly #hands: ClusterHands;
  readonly #journal: FenceJournal;

  constructor(hands: ClusterHands, journal: FenceJournal) {
    this.#hands = hands;
    this.#journal = journal;
  }

  /**
   * Brings all topics of the goal, those created since included, to the goal's state, and reads back. The topics that
   * applications write to come before the check topic: to make that one takes a returning cluster seconds, in which a
   * client that knows no pointer would go on writing.
   */
  async apply(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus> {
    const { layout, topics } = await this.#topics(goal);
    const check = checkTopic(goal.group);
    if (layout.topics.has(check)) return this.#bring(goal, topics, signal);
    if (topics.length > 0) await this.#bring(goal, topics, signal);
    signal.throwIfAborted();
    await ensureGroupTopic(this.#hands, layout, check, topics, {}, CALL_MS);
    return this.#bring(goal, [...topics, check], signal);
  }

  async #bring(goal: ClusterGoal, topics: readonly string[], signal: AbortSignal): Promise<GoalStatus> {
    const journal = await this.#journal.of(goal.cluster);
    const tables = await this.#tables(topics);
    const plan =
      goal.state === 'fenced' ? planFence(goal.group, topics, tables, journal) : planUnfence(topics, tables, journal);
    await this.#journal.add(goal.cluster, plan.remember);
    for (let at = 0; at < plan.changes.length; at += CHANGES_PER_REQUEST) {
      signal.throwIfAborted(); // the goal was replaced: its opposite waits for us to let go
      await this.#hands.changeTopicConfigs(plan.changes.slice(at, at + CHANGES_PER_REQUEST), CALL_MS);
    }
    const status =
      plan.changes.length === 0 // the usual round: what was just read is the read-back
        ? await this.#status(goal, topics, tables, plan.remarks)
        : await this.#readBack(goal, topics, plan.remarks, signal);
    // Only when the restored values were read back may the memory of them go.
    if (status.reached && goal.state === 'open') await this.#journal.remove(goal.cluster, plan.forget);
    return status;
  }

  async observe(goal: ClusterGoal): Promise<GoalStatus> {
    const { topics } = await this.#topics(goal);
    return this.#status(goal, topics, await this.#tables(topics), []);
  }

  async #topics(goal: ClusterGoal): Promise<Readonly<{ layout: ClusterLayout; topics: readonly string[] }>> {
    const layout = await this.#hands.layout(CALL_MS);
    const check = checkTopic(goal.group);
    const matches = topicMatcher(goal.topics);
    const topics = [...layout.topics.keys()].filter((t) => t === check || (matches(t) && !isInternalTopic(t)));
    return { layout, topics };
  }

  async #readBack(
    goal: ClusterGoal,
    topics: readonly string[],
    remarks: readonly string[],
    signal: AbortSignal,
  ): Promise<GoalStatus> {
    const endsAtMs = monotonicMs() + READ_BACK_MS;
    for (;;) {
      const status = await this.#status(goal, topics, await this.#tables(topics), remarks);
      if (status.reached || signal.aborted || monotonicMs() > endsAtMs) return status;
      await pause(READ_BACK_PAUSE_MS, signal);
    }
  }

  #tables(topics: readonly string[]): Promise<readonly ConfigTable[]> {
    return this.#hands.topicConfigsEverywhere(topics, [FENCE_KEY], CALL_MS);
  }

  async #status(
    goal: ClusterGoal,
    topics: readonly string[],
    tables: readonly ConfigTable[],
    remarks: readonly string[],
  ): Promise<GoalStatus> {
    const readAtMs = monotonicMs();
    const observed = observeFence(topics, tables);
    const journal = await this.#journal.of(goal.cluster);
    const mine = [...journal].filter(([, record]) => record.group === goal.group);
    const said = `${topics.length} topics ${observed} at ${tables.length} brokers`;
    return {
      key: goalKey(goal),
      wanted: goal.state,
      observed,
      reached: observed === goal.state,
      epoch: goal.epoch,
      term: goal.term,
      ageMs: monotonicMs() - readAtMs,
      detail: [said, ...remarks.slice(0, 10)].join('; '),
      previous: Object.fromEntries(mine.map(([topic, record]) => [topic, record.previous])),
    };
  }
}

/** A goal whose subject could not be reached: said as unknown, never as "not so". */
export function unreached(
  goal: GoalStatus['wanted'],
  key: string,
  epoch: number,
  term: number,
  error: unknown,
): GoalStatus {
  const detail = error instanceof KafkaCallError || error instanceof Error ? error.message : String(error);
  const ageMs: Ms = 0;
  return { key, wanted: goal, observed: 'unknown', reached: false, epoch, term, ageMs, detail, previous: {} };
}
