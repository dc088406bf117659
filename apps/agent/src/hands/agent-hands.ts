import type { ClusterName, Ms } from '#health';
import {
  flowKey,
  goalKey,
  type ClusterGoal,
  type Command,
  type CommandOutput,
  type CommandResult,
  type FlowGoal,
  type Goal,
  type GoalStatus,
  type WatchGroup,
} from '#failover';
import {
  ConnectClient,
  ConnectError,
  KafkaCallError,
  monotonicMs,
  PlatformaticHands,
  PlatformaticRecordLog,
  type ClusterHands,
  type RecordLog,
} from '#kafka';
import type { AgentClusterConfig, AgentConfig, KafkaSecurity } from '../config/agent-config.js';
import type { Hands, OffsetTranslator, RecordedEpoch } from '../ports.js';
import { AclFence } from './acl.fence.js';
import { ClusterFenceHand, unreached } from './cluster-fence.hand.js';
import { EpochTopic } from './epoch-topic.js';
import { FenceJournal } from './fence-journal.js';
import { HookFence } from './hook.fence.js';
import { HookJournal } from './hook-journal.js';
import { AuthorizerProbe } from '../probes/authorizer.probe.js';
import { FlowHand } from './flow.hand.js';
import { GoalTurns } from './goal-turns.js';
import { GroupReaders } from './group-readers.js';
import {
  applyGroupOffsets,
  readEndOffsets,
  readGroupOffsets,
  readReplicationPosition,
  type TimeLeft,
} from './offset-commands.js';
import { describeTopics, remakeTopics } from './remake-topics.hand.js';
import { seedFlow } from './seed-flow.hand.js';
import { TailHands } from './tail-hands.js';
import { abortTransactions, listTransactions } from './transaction-commands.js';
import { TopicConfigFence } from './topic-config.fence.js';

const EPOCH_MS = 5_000;
const SILENT_KINDS: ReadonlySet<string> = new Set(['refused', 'reset', 'no_route', 'deadline', 'dns']);

/** A command that this agent's configuration cannot carry out, whatever the cluster says. */
class UnsupportedError extends Error {
  readonly code = 'POINTSMAN_AGENT_UNSUPPORTED';
}

type ClusterTools = Readonly<{
  config: AgentClusterConfig;
  hands: ClusterHands;
  log: RecordLog; // connections of its own: a long read holds up no fence
  ordinary: ClusterHands | null; // null: no principal of its own to prove with
  connect: ConnectClient | null;
  fence: ClusterFenceHand;
  flow: FlowHand | null;
  epochs: EpochTopic;
}>;

/** {@link Hands} over Kafka and Connect. Refusing lower terms and epochs is the goal keeper's; this does what it is told. */
export class AgentHands implements Hands {
  readonly #tools: ReadonlyMap<ClusterName, ClusterTools>;
  readonly #turns = new GoalTurns();
  readonly #tails: TailHands;

  readonly #translator: OffsetTranslator | null;
  #watched: readonly WatchGroup[] = [];

  constructor(config: AgentConfig, translator: OffsetTranslator | null = null) {
    this.#translator = translator;
    const { id, dataDir } = config.agent;
    const around: Around = {
      agentId: id,
      journal: new FenceJournal(dataDir),
      hookJournal: new HookJournal(dataDir),
      watched: () => this.#watched,
    };
    this.#tools = new Map(config.clusters.map((c) => [c.name, toolsFor(c, around)]));
    this.#tails = new TailHands((name) => this.#tool(name), { dataDir, resolverModule: config.tail?.resolverModule });
  }

  setWatch(groups: readonly WatchGroup[]): void {
    this.#watched = groups;
  }

  apply(goal: Goal, signal: AbortSignal): Promise<GoalStatus> {
    return this.#turns.apply(
      goalKey(goal),
      () => this.#guarded(goal, () => this.#carryOut(goal, signal)),
      // After the effect, never before it: a cluster that takes no writes can still be fenced.
      () => this.#toolsOf(goal).epochs.raise(goal.group, goal.epoch, goal.term, EPOCH_MS),
    );
  }

  applySilent(goal: ClusterGoal, signal: AbortSignal): Promise<GoalStatus | null> {
    return this.#turns.take(goalKey(goal), () =>
      this.#guarded(goal, async () => {
        signal.throwIfAborted();
        return this.#toolsOf(goal).fence.applySilent(goal, signal);
      }),
    );
  }

  async observe(goal: Goal): Promise<GoalStatus> {
    return this.#guarded(goal, () => {
      const tools = this.#toolsOf(goal);
      return goal.subject === 'cluster' ? tools.fence.observe(goal) : this.#flowOf(goal, tools).observe(goal);
    });
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

  async newestEpoch(cluster: ClusterName, group: string, signal: AbortSignal): Promise<RecordedEpoch | null> {
    signal.throwIfAborted();
    return this.#tool(cluster).epochs.newest(group, EPOCH_MS);
  }

  async close(): Promise<void> {
    this.#tails.close();
    for (const { hands, log, ordinary, connect } of this.#tools.values()) {
      log.close();
      hands.close();
      if (ordinary !== hands) ordinary?.close();
      await connect?.close();
    }
  }

  async #output(command: Command, left: TimeLeft): Promise<CommandOutput> {
    const { body } = command;
    switch (body.kind) {
      case 'read_end_offsets':
        return readEndOffsets(this.#tool(body.cluster).hands, body, left);
      case 'read_replication_position':
        return readReplicationPosition(this.#tool(body.to), body, left);
      case 'read_group_offsets':
        return readGroupOffsets(this.#tool(body.cluster).hands, body, left);
      case 'apply_group_offsets':
        return applyGroupOffsets(this.#tool(body.cluster).hands, body, left);
      case 'canary':
        return this.#canary(body, left());
      case 'prove_seam':
      case 'report_tail':
      case 'export_tail':
      case 'replay_tail':
        return this.#tails.run(command, body, left);
      case 'seed_flow':
        return this.#seed(body, command.group, left);
      case 'describe_topics':
        return describeTopics(this.#tool(body.cluster).hands, body, left);
      case 'remake_topics':
        return this.#remake(body, command.group, left);
      case 'count_records':
        return {
          kind: 'record_counts',
          counts: await this.#tool(body.cluster).hands.countRecords(body.ranges, left()),
        };
      case 'list_transactions':
        return listTransactions(this.#tool(body.cluster).hands.transactions, body, left);
      case 'abort_transactions':
        return abortTransactions(this.#tool(body.cluster).hands.transactions, body, left);
      case 'translate_group_offsets':
        if (this.#translator === null) throw new UnsupportedError('this agent keeps no history of offset-syncs');
        return this.#translator.translate(body, left);
    }
  }

  /** In turn with the flow's goal: a start must not come between the look at the stopped connector and its seed. */
  #seed(body: Extract<Command['body'], { kind: 'seed_flow' }>, group: string, left: TimeLeft): Promise<CommandOutput> {
    const { hands, connect } = this.#tool(body.to);
    if (connect === null) throw noWorker(body.to);
    const key = flowKey(group, body.from, body.to);
    return this.#turns.take(key, () => seedFlow({ connect, ownCluster: hands }, body, left));
  }

  /** Whoever asked for it: this agent deletes nothing on a cluster that, as far as it has heard, is the active one. */
  #remake(body: Extract<Command['body'], { kind: 'remake_topics' }>, group: string, left: TimeLeft) {
    const active = this.#watched.find((g) => g.name === group)?.active ?? null;
    if (active !== body.like || body.to === active) {
      throw new Error(
        `${active ?? 'no cluster'} is active for ${group} by all that this agent knows: nothing was deleted`,
      );
    }
    const [like, to] = [this.#tool(body.like).hands, this.#tool(body.to).hands];
    const onMade = (topics: readonly string[], leftMs: Ms): Promise<void> =>
      this.#translator?.topicsRemade(body.to, topics, leftMs) ?? Promise.resolve();
    return remakeTopics({ like, to, onMade }, body, left);
  }

  /** A refusal is a result, silence is not: only a broker's own "no" proves a fence. */
  async #canary(body: Extract<Command['body'], { kind: 'canary' }>, deadlineMs: Ms): Promise<CommandOutput> {
    const tools = this.#tool(body.cluster);
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

  async #carryOut(goal: Goal, signal: AbortSignal): Promise<GoalStatus> {
    signal.throwIfAborted();
    const tools = this.#toolsOf(goal);
    if (goal.subject === 'cluster') return tools.fence.apply(goal, signal);
    return this.#flowOf(goal, tools).apply(goal, signal);
  }

  async #guarded<T>(goal: Goal, work: () => Promise<T>): Promise<T | GoalStatus> {
    try {
      return await work();
    } catch (error) {
      return unreached(goal.state, goalKey(goal), goal.epoch, goal.term, error);
    }
  }

  /** A dedicated process is nobody's to steer, and a worker beside it knows nothing of its connectors. */
  #flowOf(goal: FlowGoal, tools: ClusterTools): FlowHand {
    const flows = this.#watched.find((g) => g.name === goal.group)?.flows ?? [];
    if (flows.some((f) => f.from === goal.from && f.to === goal.to && f.dedicated === true)) {
      throw new UnsupportedError(
        `a dedicated MirrorMaker process carries ${goal.from} → ${goal.to}: stop or start it by hand`,
      );
    }
    return flowOf(tools);
  }

  #toolsOf(goal: Goal): ClusterTools {
    return this.#tool(goal.subject === 'cluster' ? goal.cluster : goal.to);
  }

  #tool(cluster: ClusterName): ClusterTools {
    const tools = this.#tools.get(cluster);
    if (!tools) throw new UnsupportedError(`this agent has no credentials for cluster ${cluster}`);
    return tools;
  }
}

type Around = Readonly<{
  agentId: string;
  journal: FenceJournal;
  hookJournal: HookJournal;
  watched: () => readonly WatchGroup[];
}>;

function toolsFor(config: AgentClusterConfig, { agentId, journal, hookJournal, watched }: Around): ClusterTools {
  const connection = { clientId: `pointsman-${agentId}-hands`, bootstrapServers: config.bootstrapServers };
  const hands = new PlatformaticHands({ ...connection, security: config.security });
  const connect = config.connectUrl === null ? null : new ConnectClient(config.connectUrl);
  const ordinary = ordinaryHands(connection, config, hands);
  const hasOrdinary = ordinary !== null && ordinary !== hands;
  const probe = new AuthorizerProbe(hands, ordinary);
  const exempt = config.fence?.exempt ?? null;
  const readers = new GroupReaders(hands, probe, { exempt: exempt ?? [], own: ownPrincipal(config.security) });
  const fences = [
    new AclFence({ hands, probe, exempt, hasOrdinary, readers }),
    new TopicConfigFence(hands, journal),
    new HookFence(config.fence?.hook ?? null, hookJournal, watched),
  ];
  return {
    config,
    hands,
    ordinary,
    log: new PlatformaticRecordLog({ ...connection, security: config.security }),
    connect,
    fence: new ClusterFenceHand(fences),
    flow: connect === null ? null : new FlowHand(connect, hands),
    epochs: new EpochTopic(hands),
  };
}

/** Without SASL or client certificates everybody is the same anonymous principal, the agent included. */
function ordinaryHands(
  connection: Readonly<{ clientId: string; bootstrapServers: readonly string[] }>,
  { ordinary, security }: AgentClusterConfig,
  own: ClusterHands,
): ClusterHands | null {
  if (ordinary !== null) return new PlatformaticHands({ ...connection, ...ordinary });
  return security.sasl === null && (security.tls?.cert ?? null) === null ? own : null;
}

/** As brokers name the agent; null: by its certificate, which they may map to any name. */
function ownPrincipal({ sasl, tls }: KafkaSecurity): string | null {
  if (sasl !== null) return `User:${sasl.username}`;
  return (tls?.cert ?? null) === null ? 'User:ANONYMOUS' : null;
}

const noWorker = (cluster: ClusterName): UnsupportedError =>
  new UnsupportedError(`cluster ${cluster} has no connectUrl: its worker is out of reach`);

function flowOf(tools: ClusterTools): FlowHand {
  if (tools.flow === null) throw noWorker(tools.config.name);
  return tools.flow;
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
