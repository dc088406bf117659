import type { Ms } from '#health';
import { flowKey, type Command, type CommandOutput, type CommandResult, type WatchGroup } from '#failover';
import { ConnectError, KafkaCallError, monotonicMs } from '#kafka';
import type { OffsetTranslator } from '../ports.js';
import { noWorker, UnsupportedError, type ToolsOf } from './cluster-tools.js';
import type { GoalTurns } from './goal-turns.js';
import {
  applyGroupOffsets,
  readEndOffsets,
  readGroupOffsets,
  readReplicationPosition,
  type TimeLeft,
} from './offset-commands.js';
import { describeTopics, remakeTopics } from './remake-topics.hand.js';
import { seedFlow } from './seed-flow.hand.js';
import type { TailHands } from './tail-hands.js';
import { abortTransactions, listTransactions } from './transaction-commands.js';

const SILENT_KINDS: ReadonlySet<string> = new Set(['refused', 'reset', 'no_route', 'deadline', 'dns']);

type Options = Readonly<{
  tool: ToolsOf;
  turns: GoalTurns;
  tails: TailHands;
  translator: OffsetTranslator | null;
  watched: () => readonly WatchGroup[];
}>;

/** One effect, one result: whatever happens is said in the result, never thrown. */
export class AgentCommands {
  readonly #o: Options;

  constructor(options: Options) {
    this.#o = options;
  }

  async run(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const { id, deadlineMs } = command;
    if (signal.aborted || deadlineMs <= 0) return { id, ok: false, code: 'expired', detail: 'no time was left' };
    try {
      return { id, ok: true, output: await this.#output(command, timeLeft(deadlineMs)) };
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { id, ok: false, code: codeOf(error), detail };
    }
  }

  async #output(command: Command, left: TimeLeft): Promise<CommandOutput> {
    const { body } = command;
    switch (body.kind) {
      case 'read_end_offsets':
        return readEndOffsets(this.#o.tool(body.cluster).hands, body, left);
      case 'read_replication_position':
        return readReplicationPosition(this.#o.tool(body.to), body, left);
      case 'read_group_offsets':
        return readGroupOffsets(this.#o.tool(body.cluster).hands, body, left);
      case 'apply_group_offsets':
        return applyGroupOffsets(this.#o.tool(body.cluster).hands, body, left);
      case 'canary':
        return this.#canary(body, left());
      case 'prove_seam':
      case 'report_tail':
      case 'export_tail':
      case 'replay_tail':
        return this.#o.tails.run(command, body, left);
      case 'seed_flow':
        return this.#seed(body, command.group, left);
      case 'describe_topics':
        return describeTopics(this.#o.tool(body.cluster).hands, body, left);
      case 'remake_topics':
        return this.#remake(body, command.group, left);
      case 'count_records':
        return {
          kind: 'record_counts',
          counts: await this.#o.tool(body.cluster).hands.countRecords(body.ranges, left()),
        };
      case 'list_transactions':
        return listTransactions(this.#o.tool(body.cluster).hands.transactions, body, left);
      case 'abort_transactions':
        return abortTransactions(this.#o.tool(body.cluster).hands.transactions, body, left);
      case 'translate_group_offsets':
        if (this.#o.translator === null) throw new UnsupportedError('this agent keeps no history of offset-syncs');
        return this.#o.translator.translate(body, left);
    }
  }

  /** In turn with the flow's goal: a start must not come between the look at the stopped connector and its seed. */
  #seed(body: Extract<Command['body'], { kind: 'seed_flow' }>, group: string, left: TimeLeft): Promise<CommandOutput> {
    const { hands, connect } = this.#o.tool(body.to);
    if (connect === null) throw noWorker(body.to);
    const key = flowKey(group, body.from, body.to);
    return this.#o.turns.take(key, () => seedFlow({ connect, ownCluster: hands }, body, left));
  }

  /** Whoever asked for it: this agent deletes nothing on a cluster that, as far as it has heard, is the active one. */
  #remake(body: Extract<Command['body'], { kind: 'remake_topics' }>, group: string, left: TimeLeft) {
    const active = this.#o.watched().find((g) => g.name === group)?.active ?? null;
    if (active !== body.like || body.to === active) {
      throw new Error(
        `${active ?? 'no cluster'} is active for ${group} by all that this agent knows: nothing was deleted`,
      );
    }
    const [like, to] = [this.#o.tool(body.like).hands, this.#o.tool(body.to).hands];
    const onMade = (topics: readonly string[], leftMs: Ms): Promise<void> =>
      this.#o.translator?.topicsRemade(body.to, topics, leftMs) ?? Promise.resolve();
    return remakeTopics({ like, to, onMade }, body, left);
  }

  /** A refusal is a result, silence is not: only a broker's own "no" proves a fence. */
  async #canary(body: Extract<Command['body'], { kind: 'canary' }>, deadlineMs: Ms): Promise<CommandOutput> {
    const tools = this.#o.tool(body.cluster);
    const hands = body.principal === 'agent' ? tools.hands : tools.ordinary;
    if (hands === null) {
      throw new UnsupportedError(
        `${body.cluster}: give the agent \`ordinary\` credentials, its own prove nothing for others`,
      );
    }
    const value = Buffer.from('pointsman canary');
    const outcome = await hands.write({ topic: body.topic, partition: 0, key: null, value }, deadlineMs);
    const { accepted, errorCode, kind, detail } = outcome;
    if (!accepted && errorCode === null)
      throw new KafkaCallError(`canary on ${body.topic}`, { kind: kind ?? 'other', errorCode, detail });
    return { kind: 'canary', accepted, errorCode, detail };
  }
}

function timeLeft(deadlineMs: Ms): TimeLeft {
  const endsAtMs = monotonicMs() + deadlineMs;
  return () => Math.max(1, endsAtMs - monotonicMs());
}

function codeOf(error: unknown): 'unavailable' | 'unsupported' | 'failed' {
  if (error instanceof UnsupportedError) return 'unsupported';
  const silent = (error instanceof KafkaCallError || error instanceof ConnectError) && SILENT_KINDS.has(error.kind);
  return silent ? 'unavailable' : 'failed';
}
