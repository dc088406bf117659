import type { ClusterName } from '#health';
import {
  goalKey,
  type ClusterGoal,
  type Command,
  type CommandResult,
  type FlowGoal,
  type Goal,
  type GoalStatus,
  type WatchGroup,
} from '#failover';
import { ClusterIds } from '../cluster-ids.js';
import type { AgentConfig } from '../config/agent-config.js';
import type { Hands, OffsetTranslator, RecordedEpoch } from '../ports.js';
import { AgentCommands } from './agent-commands.js';
import { unreached } from './cluster-fence.hand.js';
import {
  closeTools,
  noWorker,
  toolsFor,
  UnsupportedError,
  type Around,
  type ClusterTools,
  type ToolsOf,
} from './cluster-tools.js';
import { FenceJournal } from './fence-journal.js';
import type { FlowHand } from './flow.hand.js';
import { GoalTurns } from './goal-turns.js';
import { HookJournal } from './hook-journal.js';
import { TailHands } from './tail-hands.js';

const EPOCH_MS = 5_000;

/** {@link Hands} over Kafka and Connect. Refusing lower terms and epochs is the goal keeper's; this does what it is told. */
export class AgentHands implements Hands {
  readonly #tools: ReadonlyMap<ClusterName, ClusterTools>;
  readonly #turns = new GoalTurns();
  readonly #tails: TailHands;
  readonly #commands: AgentCommands;
  #watched: readonly WatchGroup[] = [];

  constructor(
    config: AgentConfig,
    translator: OffsetTranslator | null = null,
    ids = new ClusterIds(config.agent.dataDir),
  ) {
    const { id, dataDir } = config.agent;
    const around: Around = {
      agentId: id,
      ids,
      journal: new FenceJournal(dataDir),
      hookJournal: new HookJournal(dataDir),
      watched: () => this.#watched,
    };
    this.#tools = new Map(config.clusters.map((c) => [c.name, toolsFor(c, around)]));
    const tool: ToolsOf = (name) => this.#tool(name);
    this.#tails = new TailHands(tool, { dataDir, resolverModule: config.tail?.resolverModule });
    const { watched } = around;
    this.#commands = new AgentCommands({ tool, turns: this.#turns, tails: this.#tails, translator, watched });
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

  run(command: Command, signal: AbortSignal): Promise<CommandResult> {
    return this.#commands.run(command, signal);
  }

  async newestEpoch(cluster: ClusterName, group: string, signal: AbortSignal): Promise<RecordedEpoch | null> {
    signal.throwIfAborted();
    return this.#tool(cluster).epochs.newest(group, EPOCH_MS);
  }

  async close(): Promise<void> {
    this.#tails.close();
    await Promise.all([...this.#tools.values()].map(closeTools));
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

function flowOf(tools: ClusterTools): FlowHand {
  if (tools.flow === null) throw noWorker(tools.config.name);
  return tools.flow;
}
