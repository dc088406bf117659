import {
  checkTopic,
  goalKey,
  type ClusterGoal,
  type CommandBody,
  type CommandOutput,
  type FlowGoal,
  type Goal,
  type GoalStatus,
  type PartitionOffset,
} from '#failover';
import { newId } from '#platform';
import { LostLeadershipError } from '../persistence/authority-store.port.js';
import { isDeadline, within } from './saga-time.js';
import type { StepContext } from './steps/step.js';

/** What steps ask of agents, in the words of the steps. */

/** As much of a step's surroundings as asking needs. */
export type Asking = Pick<StepContext, 'gateway' | 'term' | 'epoch' | 'times' | 'time'> &
  Readonly<{ saga: Readonly<{ group: string }> }>;

export type Answer<T> = Readonly<{ ok: true; output: T; agent: string }> | Readonly<{ ok: false; detail: string }>;

const OUTPUT_OF = {
  read_end_offsets: 'end_offsets',
  read_replication_position: 'replication_position',
  read_group_offsets: 'group_offsets',
  apply_group_offsets: 'applied',
  canary: 'canary',
  seed_flow: 'seeded',
  count_records: 'record_counts',
  list_transactions: 'open_transactions',
  abort_transactions: 'aborted_transactions',
  translate_group_offsets: 'translated_offsets',
  prove_seam: 'seam_proof',
  report_tail: 'tail_report',
  export_tail: 'tail_export',
  replay_tail: 'tail_replay',
  describe_topics: 'described_topics',
  remake_topics: 'topics_remade',
} as const satisfies Record<CommandBody['kind'], CommandOutput['kind']>;

type OutputOf<B extends CommandBody> = Extract<CommandOutput, { kind: (typeof OUTPUT_OF)[B['kind']] }>;

/**
 * One command to the agents of a cluster, its own IDC's first, until one of them answers. `epoch` and `term` make a
 * late one harmless. An agent that refuses the term has heard of a newer leader: this one stops.
 */
export async function ask<B extends CommandBody>(
  ctx: Asking,
  cluster: string,
  body: B,
  signal: AbortSignal,
  agents = ctx.gateway.agentsFor(cluster),
): Promise<Answer<OutputOf<B>>> {
  const problems: string[] = [];
  for (const agent of agents) {
    const command = {
      id: newId(),
      term: ctx.term,
      epoch: ctx.epoch,
      group: ctx.saga.group,
      deadlineMs: ctx.times.commandMs,
      body,
    };
    const result = await within(ctx.gateway.command(agent, command, signal), signal);
    if (result.ok && isOutput<B>(body, result.output)) return { ok: true, output: result.output, agent };
    if (!result.ok && result.code === 'refused_term') throw new LostLeadershipError(ctx.term);
    problems.push(`${agent}: ${result.ok ? `answered ${result.output.kind}` : `${result.code} ${result.detail}`}`);
  }
  return {
    ok: false,
    detail: problems.length === 0 ? `no agent with a session reaches ${cluster}` : problems.join('; '),
  };
}

const isOutput = <B extends CommandBody>(body: B, output: CommandOutput): output is OutputOf<B> =>
  output.kind === OUTPUT_OF[body.kind];

/** Repeats until `look` gives something or the step's deadline passes; null at the deadline, anything else is thrown. */
export async function pollUntil<T>(
  ctx: Pick<Asking, 'time' | 'times'>,
  signal: AbortSignal,
  look: () => Promise<T | null> | T | null,
): Promise<T | null> {
  try {
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      await ctx.time.sleep(ctx.times.pollMs, signal);
    }
  } catch (error) {
    if (isDeadline(signal)) return null;
    throw error;
  }
}

export const fenceTopics = (ctx: StepContext): readonly string[] => [
  ...ctx.group.watch.topics,
  checkTopic(ctx.saga.group),
];

export const clusterGoal = (ctx: StepContext, cluster: string, state: ClusterGoal['state']): ClusterGoal => ({
  subject: 'cluster',
  group: ctx.saga.group,
  cluster,
  state,
  epoch: ctx.epoch,
  term: ctx.term,
  topics: fenceTopics(ctx),
});

/** Null when the configuration names no flow in that direction. */
export function flowGoal(ctx: StepContext, from: string, to: string, state: FlowGoal['state']): FlowGoal | null {
  const flow = ctx.group.watch.flows.find((f) => f.from === from && f.to === to);
  if (flow === undefined) return null;
  const { group } = ctx.saga;
  return { subject: 'flow', group, from, to, state, epoch: ctx.epoch, term: ctx.term, connectors: flow.connectors };
}

/** The status of exactly this goal, if it is reached. */
export const reachedStatus = (ctx: StepContext, goal: Goal): GoalStatus | null =>
  statusOf(ctx, goal, (status) => status.reached);

/** The same, if the agent attests that the flow's Connect worker refuses every connection. */
export const refusedStatus = (ctx: StepContext, goal: Goal): GoalStatus | null =>
  statusOf(ctx, goal, (status) => status.observed === 'refused');

/** An older goal's status proves nothing for this one. */
function statusOf(ctx: StepContext, goal: Goal, accept: (status: GoalStatus) => boolean): GoalStatus | null {
  const status = ctx.gateway.goalStatus(goalKey(goal));
  if (status === null || status.wanted !== goal.state || !accept(status)) return null;
  return status.epoch >= goal.epoch && status.term >= goal.term ? status : null;
}

/** What the agents last said of a goal, in their words and Connect's. */
export const lastWord = (ctx: Pick<StepContext, 'gateway'>, goal: Goal): string =>
  ctx.gateway.goalStatus(goalKey(goal))?.detail || 'no agent reported';

/** Compensation of a goal: the opposite goal, waited for as long as the deadline allows, left to the agents after it. */
export async function takeBack(
  ctx: StepContext,
  goal: Goal,
  signal: AbortSignal,
): Promise<{ [key: string]: string | boolean }> {
  await ctx.setGoals([goal]);
  const status = await pollUntil(ctx, signal, () => reachedStatus(ctx, goal));
  const key = goalKey(goal);
  if (status !== null) return { goal: key, state: goal.state, reached: true, summary: `${key} ${goal.state}` };
  return {
    goal: key,
    state: goal.state,
    reached: false,
    summary: `${key} could not be reached: ${goal.state} stays a goal (${lastWord(ctx, goal)})`,
  };
}

export const positionKey = (p: Readonly<{ topic: string; partition: number }>): string => `${p.topic}/${p.partition}`;

export const byPartition = (offsets: readonly PartitionOffset[]): ReadonlyMap<string, number> =>
  new Map(offsets.map((o) => [positionKey(o), o.offset]));
